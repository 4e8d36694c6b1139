"""What a report tells: each resource as it is, where it sits, and what protects it."""
