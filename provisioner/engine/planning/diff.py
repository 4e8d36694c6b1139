"""The diff of desired, recorded and actual properties; the same rule decides conditions and drift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject, SecretValue, StoredSecret, Unknown
from provisioner.engine.types.coverage import covers, covers_exactly
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


def update_of(resource_type: ResourceType, props: JsonObject, differing: Collection[Difference]) -> ResourceUpdate:
    """Return the update that resolves these differences.

    A property that is no longer stated gets its default; one without a default is left out.
    """
    ownership = resource_type.ownership
    tags = {each.path.removeprefix("Tags."): each.new for each in differing if each.top == "Tags"}
    tops = dict.fromkeys(each.top for each in differing if each.top != "Tags")
    stated = {**ownership.default_properties, **resource_type.defaults, **props}
    changed = {top: stated[top] for top in tops if top in stated}
    for difference in differing:
        top, default = difference.top, ownership.default(difference.path)
        if top in changed and default is not None and not isinstance(default, frozenset):
            changed[top] = _with_default_at(changed[top], ownership.below_top(difference.path), default)
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
    return [each for each in _all_differences(resource_type, desired, actual, recorded) if not each.owner]


def external_differences(
    resource_type: ResourceType, desired: JsonObject, actual: JsonObject, recorded: JsonObject | None
) -> list[Difference]:
    """Return the differences in fields that another owner holds, and that are left as they are."""
    return [each for each in _all_differences(resource_type, desired, actual, recorded) if each.owner]


def _all_differences(
    resource_type: ResourceType, desired: JsonObject, actual: JsonObject, recorded: JsonObject | None
) -> Iterator[Difference]:
    """Yield all differences, each with the name of its other owner where it has one."""
    before, ownership = recorded or {}, resource_type.ownership
    reset = {key: default for key, default in resource_type.defaults.items() if key in before and key not in desired}
    target = resource_type.normalize({**reset, **desired})
    actual = resource_type.normalize(actual)
    for path, item, owner_name in foreign_items(ownership, actual):
        yield Difference(path, item, None, owner_name)
    actual = {key: without_foreign_items(ownership, key, value) for key, value in actual.items()}
    compared_whole = resource_type.write_only | resource_type.exclusive
    by_member = {key: value for key, value in actual.items() if key not in compared_whole}
    differing = list(_changed_fields(resource_type, target, actual, before))
    differing += _removed_fields(resource_type.normalize(before) if before else {}, target, by_member)
    differing += _added_fields(resource_type, by_member, target, [difference.path for difference in differing])
    for difference in differing:
        owner = resource_type.owner_of(difference.path)
        if owner and owner.owns(actual, difference.old, difference.new):
            yield replace(difference, owner=owner.described_in(actual))
        else:
            yield difference
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
        current = (before if key in resource_type.write_only else actual).get(key)
        differing = list(_field_differences(resource_type, key, current, value))
        owned = without_unowned(resource_type.ownership, key, current, value)
        if not differing and key in resource_type.exclusive and not covers_exactly(owned, value):
            differing = [Difference(key, owned, value)]
        yield from differing


def _hidden_fields(
    resource_type: ResourceType, target: JsonObject, actual: JsonObject, before: JsonObject
) -> Iterator[Difference]:
    """Yield the stated fields that AWS hides behind another owner's value and that are not recorded so."""
    for key, owner in resource_type.field_owners.items():
        if key in target and owner.hides(actual) and not covers(before.get(key), target[key]):
            yield Difference(key, before.get(key), target[key])


def _added_fields(
    resource_type: ResourceType, actual: JsonObject, target: JsonObject, known_paths: list[str]
) -> Iterator[Difference]:
    """Yield the members that exist and are ours by the table of owners, but that nobody stated.

    A member at, above or below one of `known_paths` is left out: it is a difference already.
    """
    for path, value, default in additions(resource_type.ownership, actual, target):
        if not any(f"{path}.".startswith(f"{known}.") or known.startswith(f"{path}.") for known in known_paths):
            yield Difference(path, value, default)


def _removed_fields(before: JsonObject, target: JsonObject, actual: JsonObject, path: str = "") -> Iterator[Difference]:
    """Yield the fields that were recorded, are no longer stated, and still exist."""
    for key, value in before.items():
        current = actual.get(key)
        if key not in target:
            if current and covers(current, value):
                yield Difference(f"{path}{key}", current, None)
        elif isinstance(value, Mapping) and isinstance(target[key], Mapping) and isinstance(current, Mapping):
            yield from _removed_fields(dict(value), dict(target[key]), dict(current), f"{path}{key}.")
        elif _states_less(target[key], value) and covers(current, value):
            yield Difference(f"{path}{key}", current, target[key])


def _states_less(desired: Any, before: Any) -> bool:
    """Return whether the items of a desired list state less than the recorded ones, and nothing else."""
    return isinstance(desired, list) and covers(before, desired) and not covers(desired, before)


def _field_differences(resource_type: ResourceType, path: str, old: Any, new: Any) -> Iterator[Difference]:
    """Compare mappings member by member and lists whole, and yield the deepest paths that differ."""
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
