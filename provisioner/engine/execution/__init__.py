"""Carrying a plan out: the scheduler, one resource's create, update and delete, the waits, the teardown."""
