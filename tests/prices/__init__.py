"""Costs and the price list."""
