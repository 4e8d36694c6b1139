"""moto keeps every object that it ever made, to reset its tests: an emulator that runs for days grows."""

from __future__ import annotations

from typing import Any

from moto.core.common_models import BaseModel


def _untracked(cls: type[Any], *_: Any, **__: Any) -> Any:
    """Make an object and keep no list of it: only moto's own reset reads it, and closes S3's files by it."""
    made = object.__new__(cls)
    if cls.__module__ == "moto.s3.models":
        cls.instances_tracked.append(made)
    return made


BaseModel.__new__ = _untracked
