"""How AWS does one sort of thing, a module per service."""
