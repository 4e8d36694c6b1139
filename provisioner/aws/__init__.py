"""The way to AWS: every call of the stack and of its state leaves the process through this package."""
