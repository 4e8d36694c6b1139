"""Memory: moto keeps a list of every object it creates, so that a long-running emulator would grow."""

from __future__ import annotations

from typing import Any

from moto.core.common_models import BaseModel


def _untracked(cls: type[Any], *_: Any, **__: Any) -> Any:
    """Create an object of a moto model without listing it; only moto's own reset reads the list.

    Objects of S3 are listed as before, because moto's reset closes S3's files by that list.
    """
    made = object.__new__(cls)
    if cls.__module__ == "moto.s3.models":
        cls.instances_tracked.append(made)
    return made


BaseModel.__new__ = _untracked
