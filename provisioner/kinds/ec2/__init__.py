"""How EC2 does networks: one module per neighbourhood."""
