"""How a declared graph is carried out; knows no service by name."""
