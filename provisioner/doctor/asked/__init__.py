"""What is asked of AWS: lookups by name and tag, each answer as AWS gives it, a module a station."""
