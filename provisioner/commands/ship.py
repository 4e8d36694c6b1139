"""`deploy`, `rollback`, `restart` and others: the commands about what a service runs."""

from __future__ import annotations
