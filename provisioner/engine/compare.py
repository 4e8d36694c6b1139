"""What differs between what is wanted and what AWS says; the same rule decides conditions and drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc, Unknown, Veiled
from provisioner.engine.traits import Condition
from provisioner.names import RUN_TAG


@dataclass(frozen=True)
class Difference:
    """One field that is not as wanted, by its dotted path."""

    path: str
    old: Any
    new: Any
    # Who else holds the field; "" where it is ours.
    owner: str = ""

    @property
    def top(self) -> str:
        """The property it lies in."""
        return self.path.split(".", 1)[0]


@dataclass(frozen=True)
class Errand:
    """What a kind is sent to change: its properties that differ, as they are to be, and its tags."""

    own: bool
    changed: Doc
    tags: Mapping[str, str | None]

    @property
    def put(self) -> dict[str, str]:
        """The tags to set."""
        return {name: value for name, value in self.tags.items() if value is not None}

    @property
    def drop(self) -> list[str]:
        """The tags to remove."""
        return [name for name, value in self.tags.items() if value is None]


def errand_of(kind: Kind, props: Doc, found: Iterable[Difference]) -> Errand:
    """What differences come to; a property that goes and has no default is left out of what is changed."""
    tags = {one.path.removeprefix("Tags."): one.new for one in found if one.top == "Tags"}
    tops = dict.fromkeys(one.top for one in found if one.top != "Tags")
    stated = {**kind.defaults, **props}
    return Errand(bool(tops), {top: stated[top] for top in tops if top in stated}, tags)


def covers(actual: Any, wanted: Any) -> bool:
    """Whether `actual` holds all that `wanted` states.

    A frozenset in `wanted` means any one of its values; mappings are compared key by key, lists whole
    and as multisets.
    """
    match wanted:
        case frozenset():
            return actual in wanted
        case Mapping():
            return isinstance(actual, Mapping) and all(
                key in actual and covers(actual[key], inner) for key, inner in wanted.items()
            )
        case list() | tuple():
            return isinstance(actual, list) and _same_members(actual, wanted)
        case _:
            return bool(actual == wanted)


def is_just(actual: Any, wanted: Any) -> bool:
    """Whether `actual` holds what `wanted` states and nothing beside it; what is empty counts for nothing."""
    return covers(actual, wanted) and covers(wanted, _filled(actual))


def _filled(value: Any) -> Any:
    match value:
        case Mapping():
            inner = {key: _filled(one) for key, one in value.items()}
            return {key: one for key, one in inner.items() if one not in (None, "", [], {})}
        case list():
            return [_filled(one) for one in value]
        case _:
            return value


def meets(doc: Doc | None, condition: Condition) -> bool:
    """Whether an observation meets a kind's condition; an empty condition is met by existing."""
    return doc is not None and covers(doc, condition)


def _same_members(actual: list[Any], wanted: list[Any] | tuple[Any, ...]) -> bool:
    """Whether the members can be paired, each wanted one with one that covers it, and none left over."""
    if not wanted:
        return not actual
    first, rest = wanted[0], wanted[1:]
    return len(actual) == len(wanted) and any(
        covers(other, first) and _same_members(actual[:at] + actual[at + 1 :], rest)
        for at, other in enumerate(actual)
    )


def differences(kind: Kind, wanted: Doc, seen: Doc, confirmed: Doc | None) -> list[Difference]:
    """What of ours differs, three-way: what is declared, what the ledger last confirmed, what AWS says.

    What was confirmed and is no longer stated goes back to the kind's default, or goes, wherever in a
    property it lies. One that AWS never tells is compared with what was confirmed, and taken as right where
    nothing was.
    """
    return [one for one in _all(kind, wanted, seen, confirmed) if not one.owner]


def held(kind: Kind, wanted: Doc, seen: Doc, confirmed: Doc | None) -> list[Difference]:
    """What differs and is another owner's to choose."""
    return [one for one in _all(kind, wanted, seen, confirmed) if one.owner]


def _all(kind: Kind, wanted: Doc, seen: Doc, confirmed: Doc | None) -> Iterator[Difference]:
    before = confirmed or {}
    dropped = {key: kind.defaults[key] for key in before if key not in wanted and key in kind.defaults}
    target = kind.canonical({**dropped, **wanted})
    actual = kind.canonical(seen)
    for key, value in target.items():
        if isinstance(value, Veiled) or (key in kind.unread and key not in before):
            continue
        told = before if key in kind.unread else actual
        found = list(_fields(kind, key, told.get(key), value))
        if not found and key in kind.whole and not is_just(told.get(key), value):
            found = [Difference(key, told.get(key), value)]
        for one in found:
            owner = kind.owners.get(key)
            yield replace(one, owner=owner.who) if owner and owner.holds(one.old, one.new) else one
    left = {key: value for key, value in actual.items() if key not in kind.unread | kind.whole}
    yield from _dropped(kind.canonical(before) if before else {}, target, left)


def _dropped(before: Doc, target: Doc, actual: Doc, path: str = "") -> Iterator[Difference]:
    """What was confirmed, is stated no longer, and is there still."""
    for key, value in before.items():
        there = actual.get(key)
        if key not in target:
            if there and covers(there, value):
                yield Difference(f"{path}{key}", there, None)
        elif isinstance(value, Mapping) and isinstance(target[key], Mapping) and isinstance(there, Mapping):
            yield from _dropped(dict(value), dict(target[key]), dict(there), f"{path}{key}.")
        elif _says_less(target[key], value) and covers(there, value):
            yield Difference(f"{path}{key}", there, target[key])


def _says_less(wanted: Any, before: Any) -> bool:
    """Whether a list states nothing but what one before it did, and not all of that."""
    return isinstance(wanted, list) and covers(before, wanted) and not covers(wanted, before)


def _fields(kind: Kind, path: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(new, Unknown):
        yield Difference(path, old, new)
    elif isinstance(new, Mapping) and isinstance(old, Mapping):
        for key, inner in new.items():
            yield from _fields(kind, f"{path}.{key}", old.get(key), inner)
    elif isinstance(new, list) and path in kind.ordered:
        if not (isinstance(old, list) and len(old) == len(new) and all(map(covers, old, new))):
            yield Difference(path, old, new)
    elif not covers(old, new):
        yield Difference(path, old, new)


def tag_differences(wanted: Mapping[str, str], seen: Mapping[str, str]) -> list[Difference]:
    """Tags are owned whole, except those that AWS itself sets (`aws:`), and the mark of a run at work."""
    others = (name for name in seen if not name.startswith("aws:") and name != RUN_TAG)
    names = sorted({*wanted, *others})
    return [
        Difference(f"Tags.{name}", seen.get(name), wanted.get(name))
        for name in names
        if seen.get(name) != wanted.get(name)
    ]
