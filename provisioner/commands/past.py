"""`history`, `show`, `diff`: the commands about earlier runs."""

from __future__ import annotations
