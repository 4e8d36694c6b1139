"""The commands that create a stack, look at it, and tear it down."""

from __future__ import annotations
