"""Unmanaged resources and fields: what is in a resource of ours and was not declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject, SecretValue, Unknown
from provisioner.engine.types.coverage import covers
from provisioner.engine.types.field_ownership import FieldOwnership


@dataclass(frozen=True)
class Unmanaged:
    """One unmanaged child of a resource.

    Args:
        description: The child in words.
        request: What the call that removes it takes.
        kept_reason: Why it is left instead; "" if it is removed.
        not_found_codes: The codes by which AWS says that it is gone already.
        owner: The AWS service that made it for itself: such a child is no drift.
        is_unlisted: Whether it stands for children that AWS did not let be listed; `kept_reason` says then where
            to look for them.

    """

    description: str
    request: JsonObject
    kept_reason: str = ""
    not_found_codes: frozenset[str] = frozenset()
    owner: str = ""
    is_unlisted: bool = False


@dataclass(frozen=True)
class KnownChild:
    """A known child of some resource, declared, recorded or read, with the name of its type."""

    type_name: str
    content: JsonObject


@dataclass(frozen=True)
class KnownChildren:
    """All known children of one resource."""

    children: tuple[KnownChild, ...]

    @classmethod
    def of(cls, id_: str, known: Iterable[KnownChild]) -> KnownChildren:
        """Select the children of the resource with this id: those that have the id among their values."""
        return cls(tuple(child for child in known if id_ in child.content.values()))

    def values(self, key: str) -> set[str]:
        """Return the values that the children have at a key, as text."""
        return {str(child.content[key]) for child in self.children if child.content.get(key) is not None}

    def has(self, content: Mapping[str, Any], *type_names: str) -> bool:
        """Return whether a child of one of these types has all of `content`."""
        return any(content.items() <= child.content.items() for child in self._of_types(type_names))

    def _of_types(self, type_names: tuple[str, ...]) -> Iterator[KnownChild]:
        return (child for child in self.children if child.type_name in type_names)


# Path, actual value, default.
Addition = tuple[str, Any, Any]
# The keys that may name an item of a list, in AWS's own spelling: the first one that an item has is its name.
_NAME_KEYS = (
    *("Id", "ID", "Name", "name", "Sid", "PathPattern", "ErrorCode", "Key"),
    *("HeaderName", "capacityProvider", "targetGroupArn"),
)


def is_nothing(value: Any) -> bool:
    """Return whether a value is empty or off, at any depth: None, False, 0, "", [], {} or a mapping of these.

    An empty mapping inside another one counts as a value: that is how AWS tells which of several options was
    chosen (`{"Block": {}}`).
    """
    match value:
        case Mapping():
            return all(is_nothing(member) and member != {} for member in value.values())
        case list() | tuple():
            return not value
        case _:
            return value is None or value is False or value in ("", 0)


def is_default(ownership: FieldOwnership, path: str, value: Any, default: Any = None) -> bool:
    """Return whether a value equals the default of its path, or is a subset of it.

    Args:
        ownership: The table of owners, which has the defaults.
        path: The path of the value.
        value: The value to judge.
        default: The value for this path in the default of a parent; it is used where the path has no default
            of its own. A frozenset stands for any of its values.

    """
    own = ownership.default(path)
    default = default if own is None else own
    if isinstance(default, frozenset):
        return value in default or is_nothing(value)
    if isinstance(value, Mapping):
        defaults = default if isinstance(default, Mapping) else {}
        return all(
            member != {} and is_default(ownership, f"{path}.{key}", member, defaults.get(key))
            for key, member in value.items()
        )
    if isinstance(default, list) and isinstance(value, list):
        return covers(value, default) and covers(default, value)
    return bool(value == default) or (is_nothing(default) and is_nothing(value))


def additions(ownership: FieldOwnership, actual: Any, stated: Any, path_above: str = "") -> Iterator[Addition]:
    """Yield each member that is ours, that AWS holds and that nobody stated, unless it is the default.

    A list is yielded whole where its items hold more than the items that are stated.

    Yields:
        The path, the actual value without other owners' members, and the default (for a list, what is
        stated).

    """
    if not isinstance(actual, Mapping) or not isinstance(stated, Mapping):
        return
    for key, value in actual.items():
        path = f"{path_above}.{key}" if path_above else str(key)
        if key in stated:
            yield from _additions_inside(ownership, value, stated[key], path)
        elif ownership.is_ours(path):
            own = only_ours(ownership, value, path)
            if not is_default(ownership, path, own):
                yield path, own, ownership.default(path)
        elif ownership.has_ours_below(path):
            yield from additions(ownership, value, {}, path)


def _additions_inside(ownership: FieldOwnership, actual: Any, stated: Any, path: str) -> Iterator[Addition]:
    """Yield what a stated member holds besides what is stated."""
    if isinstance(stated, Unknown | SecretValue):
        return
    if isinstance(stated, list) and isinstance(actual, list):
        if len(actual) == len(stated) and not _items_can_be_paired(ownership, actual, stated, path):
            yield path, actual, stated
        return
    yield from additions(ownership, actual, stated, path)


def _items_can_be_paired(ownership: FieldOwnership, actual: Sequence[Any], stated: Sequence[Any], path: str) -> bool:
    """Return whether each stated item has an actual item that holds it and nothing else of ours."""
    if not stated:
        return True
    first, rest = stated[0], stated[1:]
    return any(
        _covers_item(ownership, item, first, path)
        and _items_can_be_paired(ownership, [*actual[:index], *actual[index + 1 :]], rest, path)
        for index, item in enumerate(actual)
    )


def _covers_item(ownership: FieldOwnership, actual: Any, stated: Any, path: str) -> bool:
    return covers(actual, stated) and not any(additions(ownership, actual, stated, path))


def only_ours(ownership: FieldOwnership, value: Any, path: str) -> Any:
    """Return a value without the members that are not ours by the table of owners."""
    match value:
        case Mapping():
            return {
                key: only_ours(ownership, member, f"{path}.{key}")
                for key, member in value.items()
                if ownership.is_ours(f"{path}.{key}")
            }
        case list():
            return [only_ours(ownership, item, path) for item in value]
        case _:
            return value


def foreign_items(ownership: FieldOwnership, value: Any, path_above: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield each item that another owner put into a collection of ours: its path, the item and the owner."""
    for path, item in walk_items(value, path_above) if ownership.has_foreign_items else ():
        if owner := ownership.foreign_owner(path, item):
            yield path, item, owner
        else:
            yield from foreign_items(ownership, item, path_above if isinstance(value, list) else path)


def without_foreign_items(ownership: FieldOwnership, path: str, value: Any) -> Any:
    """Return the value at a path without the items that other owners put into its collections."""
    if not ownership.has_foreign_items:
        return value
    foreign_paths = [
        item_path for item_path, item in walk_items(value, path) if ownership.foreign_owner(item_path, item)
    ]
    match value:
        case Mapping():
            return {
                key: without_foreign_items(ownership, f"{path}.{key}", member)
                for key, member in value.items()
                if f"{path}.{key}" not in foreign_paths
            }
        case list():
            return [
                without_foreign_items(ownership, path, item)
                for item in value
                if f"{path}.{item_name(item)}" not in foreign_paths
            ]
        case _:
            return value


def walk_items(value: Any, path_above: str) -> Iterator[tuple[str, Any]]:
    """Yield each member of a mapping, or each item of a list that has a name, with its path.

    The name of a list's item is a part of its path here.
    """
    match value:
        case Mapping():
            for key, member in value.items():
                yield f"{path_above}.{key}" if path_above else str(key), member
        case list():
            for item in value:
                if name := item_name(item):
                    yield f"{path_above}.{name}", item


def item_name(item: Any) -> str:
    """Return the name of a list's item, from the first key of `_NAME_KEYS` that it has; "" where it has none."""
    if not isinstance(item, Mapping):
        return ""
    return next((str(item[key]) for key in _NAME_KEYS if item.get(key) is not None), "")


def without_unowned(ownership: FieldOwnership, path: str, value: Any, stated: Any) -> Any:
    """Return a property that is ours as a whole, without the unstated members that the table gives to nobody.

    Such members are left as they are, whoever set them.
    """
    if not isinstance(value, Mapping) or not isinstance(stated, Mapping):
        return value
    return {key: member for key, member in value.items() if key in stated or not ownership.is_unowned(f"{path}.{key}")}
