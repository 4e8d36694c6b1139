"""Checks before the first change."""
