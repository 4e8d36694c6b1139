"""The diff of desired, recorded and actual properties; the same rule decides conditions and drift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from provisioner.engine.planning.coverage import covers, covers_exactly
from provisioner.engine.resource_graph.references import JsonObject, SecretValue, StoredSecret, Unknown
from provisioner.engine.types.data import Condition
from provisioner.engine.types.resource_type import ResourceType
from provisioner.engine.types.unmanaged import additions, foreign_items, without_foreign_items, without_unowned
from provisioner.names import RUN_TAG


@dataclass(frozen=True)
class Difference:
    """One field, by its dotted path, whose actual value `old` is not the desired value `new`."""

    path: str
    old: Any
    new: Any
    # The other owner that holds the field; "" where it is ours.
    owner: str = ""

    @property
    def top(self) -> str:
        """The property that the field lies in."""
        return self.path.split(".", 1)[0]


@dataclass(frozen=True)
class ResourceUpdate:
    """The contents of an update: the changed properties as desired, and the tags, None for each to remove.

    `changes_properties` says whether any property differs.
    """

    changes_properties: bool
    changed: JsonObject
    tags: Mapping[str, str | None]

    @property
    def tags_to_set(self) -> dict[str, str]:
        """The tags to set."""
        return {name: value for name, value in self.tags.items() if value is not None}

    @property
    def tags_to_remove(self) -> list[str]:
        """The tags to remove."""
        return [name for name, value in self.tags.items() if value is None]


def update_of(resource_type: ResourceType, props: JsonObject, found: Collection[Difference]) -> ResourceUpdate:
    """Return the update that resolves the differences found.

    A property that is no longer stated gets its default; one without a default is left out.
    """
    tags = {one.path.removeprefix("Tags."): one.new for one in found if one.top == "Tags"}
    tops = dict.fromkeys(one.top for one in found if one.top != "Tags")
    stated = {**resource_type.ownership.default_properties, **resource_type.defaults, **props}
    changed = {top: stated[top] for top in tops if top in stated}
    for one in found:
        default = resource_type.ownership.default(one.path)
        if one.top in changed and default is not None and not isinstance(default, frozenset):
            changed[one.top] = _with_default_at(changed[one.top], resource_type.ownership.below_top(one.path), default)
    return ResourceUpdate(bool(tops), changed, tags)


def _with_default_at(stated: Any, keys: Sequence[str], default: Any) -> Any:
    """Return `stated` with `default` at the path `keys`, unless a value or a list is in its way."""
    if not keys or not isinstance(stated, Mapping):
        return stated
    first, *rest = keys
    if first in stated:
        return {**stated, first: _with_default_at(stated[first], rest, default)}
    for key in reversed(rest):
        default = {key: default}
    return {**stated, first: default}


def meets_condition(actual: JsonObject | None, condition: Condition) -> bool:
    """Return whether an actual state meets a condition; an empty condition is met by any that exists."""
    return actual is not None and covers(actual, condition)


def differences(
    resource_type: ResourceType, desired: JsonObject, actual: JsonObject, recorded: JsonObject | None
) -> list[Difference]:
    """Return the differences in fields that are ours: a three-way diff of desired, recorded and actual.

    A field that was recorded and is no longer stated goes back to the type's default or is removed, at any
    depth. A property that AWS never tells is compared with its recorded value, and counts as right where none
    is recorded. A field in whose place AWS tells another owner's value is compared with its recorded value
    too, but it is set where none is recorded: it counts again once the other owner's value is gone.
    """
    return [one for one in _all_differences(resource_type, desired, actual, recorded) if not one.owner]


def external_differences(
    resource_type: ResourceType, desired: JsonObject, actual: JsonObject, recorded: JsonObject | None
) -> list[Difference]:
    """Return the differences in fields that another owner holds, and that are left as they are."""
    return [one for one in _all_differences(resource_type, desired, actual, recorded) if one.owner]


def _all_differences(
    resource_type: ResourceType, desired: JsonObject, seen: JsonObject, recorded: JsonObject | None
) -> Iterator[Difference]:
    # All differences, each with the name of its other owner where it has one.
    before = recorded or {}
    dropped = {
        key: resource_type.defaults[key] for key in before if key not in desired and key in resource_type.defaults
    }
    target = resource_type.normalize({**dropped, **desired})
    actual = resource_type.normalize(seen)
    yield from (Difference(path, one, None, who) for path, one, who in foreign_items(resource_type.ownership, actual))
    actual = {key: without_foreign_items(resource_type.ownership, key, value) for key, value in actual.items()}
    left = {
        key: value for key, value in actual.items() if key not in resource_type.write_only | resource_type.exclusive
    }
    found = list(_changed_fields(resource_type, target, actual, before))
    found += _removed_fields(resource_type.normalize(before) if before else {}, target, left)
    found += _added_fields(resource_type, left, target, [one.path for one in found])
    for one in found:
        owner = resource_type.owner_of(one.path)
        theirs = owner and owner.owns(actual, one.old, one.new)
        yield replace(one, owner=owner.described_in(actual)) if owner and theirs else one
    yield from _hidden_fields(resource_type, target, actual, before)


def _changed_fields(
    resource_type: ResourceType, target: JsonObject, actual: JsonObject, before: JsonObject
) -> Iterator[Difference]:
    """Yield the stated properties whose actual value differs."""
    for key, value in target.items():
        if isinstance(value, StoredSecret) and key in resource_type.write_only and value.differs_from(before.get(key)):
            yield Difference(key, before.get(key), value)
        if isinstance(value, SecretValue) or (key in resource_type.write_only and key not in before):
            continue
        told = before if key in resource_type.write_only else actual
        found = list(_field_differences(resource_type, key, told.get(key), value))
        there = without_unowned(resource_type.ownership, key, told.get(key), value)
        if not found and key in resource_type.exclusive and not covers_exactly(there, value):
            found = [Difference(key, there, value)]
        yield from found


def _hidden_fields(
    resource_type: ResourceType, target: JsonObject, actual: JsonObject, before: JsonObject
) -> Iterator[Difference]:
    """Yield the stated fields that AWS hides behind another owner's value and that are not recorded so."""
    for key, owner in resource_type.field_owners.items():
        if key in target and owner.hides(actual) and not covers(before.get(key), target[key]):
            yield Difference(key, before.get(key), target[key])


def _added_fields(
    resource_type: ResourceType, actual: JsonObject, target: JsonObject, told: list[str]
) -> Iterator[Difference]:
    """Yield the members that exist and are ours by the table of owners, but that nobody stated."""
    for path, there, default in additions(resource_type.ownership, actual, target):
        if not any(path == one or path.startswith(f"{one}.") or one.startswith(f"{path}.") for one in told):
            yield Difference(path, there, default)


def _removed_fields(before: JsonObject, target: JsonObject, actual: JsonObject, path: str = "") -> Iterator[Difference]:
    """Yield the fields that were recorded, are no longer stated, and still exist."""
    for key, value in before.items():
        there = actual.get(key)
        if key not in target:
            if there and covers(there, value):
                yield Difference(f"{path}{key}", there, None)
        elif isinstance(value, Mapping) and isinstance(target[key], Mapping) and isinstance(there, Mapping):
            yield from _removed_fields(dict(value), dict(target[key]), dict(there), f"{path}{key}.")
        elif _states_less(target[key], value) and covers(there, value):
            yield Difference(f"{path}{key}", there, target[key])


def _states_less(desired: Any, before: Any) -> bool:
    """Return whether the items of a desired list state less than the recorded ones, and nothing else."""
    return isinstance(desired, list) and covers(before, desired) and not covers(desired, before)


def _field_differences(resource_type: ResourceType, path: str, old: Any, new: Any) -> Iterator[Difference]:
    # Compare mappings member by member and lists whole, and yield the deepest paths that differ.
    if isinstance(new, Unknown):
        yield Difference(path, old, new)
    elif isinstance(new, Mapping) and isinstance(old, Mapping):
        for key, inner in new.items():
            yield from _field_differences(resource_type, f"{path}.{key}", old.get(key), inner)
    elif isinstance(new, list) and path in resource_type.ordered_lists:
        if not (isinstance(old, list) and len(old) == len(new) and all(map(covers, old, new))):
            yield Difference(path, old, new)
    elif not covers(old, new):
        yield Difference(path, old, new)


def tag_differences(desired: Mapping[str, str], actual: Mapping[str, str]) -> list[Difference]:
    """Return the tags that differ, except for AWS's own (`aws:`) and the mark of a run at work."""
    others = (name for name in actual if not name.startswith("aws:") and name != RUN_TAG)
    names = sorted({*desired, *others})
    return [
        Difference(f"Tags.{name}", actual.get(name), desired.get(name))
        for name in names
        if actual.get(name) != desired.get(name)
    ]
