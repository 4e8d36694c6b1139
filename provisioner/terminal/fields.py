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
        for path, old, new in _leaves(one.path, unveiled(one.old), unveiled(one.new)):
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
