"""Checks of a plan before the first call that changes anything."""
