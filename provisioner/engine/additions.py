"""Find what stands in a resource and nobody declared, by the table of owners.

A path is the names of members on the way, lists left out, as in the table (`Members`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioner.engine.covering import covers
from provisioner.engine.owners import Members
from provisioner.engine.refs import Unknown, Veiled

Added = tuple[str, Any, Any]
# What tells the items of a list apart, in AWS's own names: the first that an item bears.
_NAMES = (
    *("Id", "ID", "Name", "name", "Sid", "PathPattern", "ErrorCode", "Key"),
    *("HeaderName", "capacityProvider", "targetGroupArn"),
)


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


def guests(members: Members, value: Any, at: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield each item that another put into a collection of ours: its path, the item, whose it is."""
    for path, one in items(value, at) if members.takes_guests else ():
        if who := members.guest(path, one):
            yield path, one, who
        else:
            yield from guests(members, one, at if isinstance(value, list) else path)


def alone(members: Members, at: str, value: Any) -> Any:
    """A value without the items that others put into its collections."""
    if not members.takes_guests:
        return value
    theirs = [path for path, one in items(value, at) if members.guest(path, one)]
    match value:
        case Mapping():
            inner = {key: f"{at}.{key}" for key in value}
            return {key: alone(members, at, value[key]) for key, at in inner.items() if at not in theirs}
        case list():
            return [alone(members, at, one) for one in value if f"{at}.{named(one)}" not in theirs]
        case _:
            return value


def items(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Yield what a value holds, with its path: members by their names, items of a list by what names them."""
    match value:
        case Mapping():
            yield from ((f"{at}.{key}" if at else str(key), one) for key, one in value.items())
        case list():
            yield from ((f"{at}.{named(one)}", one) for one in value if named(one))


def named(item: Any) -> str:
    """What names an item of a list; "" where nothing does."""
    if not isinstance(item, Mapping):
        return ""
    return next((str(item[key]) for key in _NAMES if item.get(key) is not None), "")


def claimed(members: Members, path: str, value: Any, stated: Any) -> Any:
    """A document that is ours whole, without what is nobody's in it and not stated."""
    if not isinstance(value, Mapping) or not isinstance(stated, Mapping):
        return value
    return {
        key: one for key, one in value.items() if key in stated or not members.is_nobodys(f"{path}.{key}")
    }
