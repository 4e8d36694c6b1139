"""The declared resources, the references between their properties, and sensitive values."""
