"""Settings: their schema, bounds, and a stack that is changed by each."""
