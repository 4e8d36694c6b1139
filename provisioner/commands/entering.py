"""`exec`, `db tunnel`, `open`: commands into a task, to the stack's database, and to its address."""

from __future__ import annotations
