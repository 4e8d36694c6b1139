"""Find what stands in a resource and nobody declared, by the table of owners.

A path is the names of members on the way, lists left out, as in the table (`Members`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioner.engine.covering import covers
from provisioner.engine.owners import Members
from provisioner.engine.refs import Doc, Unknown, Veiled

Added = tuple[str, Any, Any]


def nothing(value: Any) -> bool:
    """Whether a value says that there is nothing, or that it is off, at every depth.

    A name with nothing in it is something: AWS tells the one of several that was chosen so (`{"Block": {}}`).
    """
    match value:
        case Mapping():
            return all(nothing(one) and one != {} for one in value.values())
        case list() | tuple():
            return not value
        case _:
            return value is None or value is False or value in ("", 0)


def is_default(members: Members, path: str, value: Any, default: Any = None) -> bool:
    """Whether a value is the default of its path, or says no more than it; any one of a frozenset's.

    `default` is what the default of a member above says of it, where the path has none of its own.
    """
    own = members.default(path)
    default = default if own is None else own
    if isinstance(default, frozenset):
        return value in default or nothing(value)
    if isinstance(value, Mapping):
        above = default if isinstance(default, Mapping) else {}
        return all(
            one != {} and is_default(members, f"{path}.{key}", one, above.get(key))
            for key, one in value.items()
        )
    if isinstance(default, list) and isinstance(value, list):
        return covers(value, default) and covers(default, value)
    return bool(value == default) or (nothing(default) and nothing(value))


def additions(members: Members, actual: Any, stated: Any, at: str = "") -> Iterator[Added]:
    """Yield each member of ours that stands and is not stated: its path, its value, its default."""
    if not isinstance(actual, Mapping) or not isinstance(stated, Mapping):
        return
    for key, value in actual.items():
        path = f"{at}.{key}" if at else str(key)
        if key in stated:
            yield from _inside(members, value, stated[key], path)
        elif members.is_ours(path):
            own = only_ours(members, value, path)
            if not is_default(members, path, own):
                yield path, own, members.default(path)
        elif members.has_ours_in(path):
            yield from additions(members, value, {}, path)


def _inside(members: Members, actual: Any, stated: Any, path: str) -> Iterator[Added]:
    if isinstance(stated, Unknown | Veiled):
        return
    if isinstance(stated, list) and isinstance(actual, list):
        if len(actual) == len(stated) and not _paired(members, actual, stated, path):
            yield path, actual, stated
        return
    yield from additions(members, actual, stated, path)


def _paired(members: Members, actual: Sequence[Any], stated: Sequence[Any], path: str) -> bool:
    """Whether each stated item can be paired with one that holds it, and holds nothing of ours besides."""
    if not stated:
        return True
    first, rest = stated[0], stated[1:]
    return any(
        _holds(members, one, first, path) and _paired(members, [*actual[:i], *actual[i + 1 :]], rest, path)
        for i, one in enumerate(actual)
    )


def _holds(members: Members, actual: Any, stated: Any, path: str) -> bool:
    return covers(actual, stated) and not any(additions(members, actual, stated, path))


def only_ours(members: Members, value: Any, path: str) -> Any:
    """A value without what is another's in it."""
    match value:
        case Mapping():
            inner = {key: (f"{path}.{key}", one) for key, one in value.items()}
            return {
                key: only_ours(members, one, at) for key, (at, one) in inner.items() if members.is_ours(at)
            }
        case list():
            return [only_ours(members, one, path) for one in value]
        case _:
            return value


def guests(members: Members, actual: Doc) -> Iterator[tuple[str, Any, str]]:
    """Each item that another put into a collection of ours, by its path, with whose it is."""
    for top, value in actual.items():
        for name, one in value.items() if isinstance(value, Mapping) else ():
            if who := members.guest(f"{top}.{name}", one):
                yield f"{top}.{name}", one, who


def alone(members: Members, top: str, value: Any) -> Any:
    """A collection without the items that others put into it."""
    if not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if not members.guest(f"{top}.{name}", one)}


def claimed(members: Members, path: str, value: Any, stated: Any) -> Any:
    """A document that is ours whole, without what is nobody's in it and not stated."""
    if not isinstance(value, Mapping) or not isinstance(stated, Mapping):
        return value
    return {
        key: one for key, one in value.items() if key in stated or not members.is_nobodys(f"{path}.{key}")
    }
