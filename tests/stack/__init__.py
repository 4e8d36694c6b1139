"""Whole stacks: created, changed, interrupted, removed, as AWS sees them."""
