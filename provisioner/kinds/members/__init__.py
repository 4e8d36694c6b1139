"""Whose each member is, a module per service: the tables of owners that the resource types bear."""
