"""The reads of `doctor`: lookups by name and tag, which return AWS's answers, one module for each topic."""
