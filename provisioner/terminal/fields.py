"""The fields that differ, one a line, however deep they lie."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.engine.compare import Difference, covers
from provisioner.engine.refs import unveiled

_WIDEST = 100
_ABSENT = "(none)"


def lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Each field by its path, old and new."""
    for one in differences:
        old, new = unveiled(one.old), unveiled(one.new)
        found = list(_leaves(one.path, old, new)) or _beside(one.path, old, new)
        for path, old, new in found:
            yield f"{path}: {told(old)} -> {told(new)}"


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost values that differ; lists of one length are gone through, member by member."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, inner in new.items():
            if not covers(old.get(key), inner):
                yield from _leaves(f"{path}.{key}", old.get(key), inner)
    elif _are_alike(old, new):
        for at, (former, inner) in enumerate(zip(old, new, strict=True)):
            if not covers(former, inner):
                yield from _leaves(f"{path}.{at}", former, inner)
    else:
        yield path, old, new


def _beside(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost values that stand beside what is wanted."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, inner in old.items():
            if key not in new:
                yield f"{path}.{key}", inner, None
            else:
                yield from _beside(f"{path}.{key}", inner, new[key])
    elif _are_alike(old, new):
        for at, (former, inner) in enumerate(zip(old, new, strict=True)):
            yield from _beside(f"{path}.{at}", former, inner)


def _are_alike(old: Any, new: Any) -> bool:
    """Whether both are lists of as many mappings."""
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return False
    return all(isinstance(one, Mapping) for one in old + new)


def told(value: Any) -> str:
    """A value in one short line."""
    if value is None:
        return _ABSENT
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
