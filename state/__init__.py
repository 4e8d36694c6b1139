"""The state of each stack: its contents, and the backends that store and lock it."""
