"""What an operator must be allowed, worked out from the declared graph and the calls of its kinds."""
