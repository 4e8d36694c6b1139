"""What we want, a module per piece; read them in the order in which stack.py calls them."""
