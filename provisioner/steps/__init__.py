"""What we want, a module per piece of the stack."""
