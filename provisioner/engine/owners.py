"""Members have owners: ours are set back, those of others are shown or left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

Whose = Literal["ours", "renamed", "inside", "born", "account", "other", "aws", "nobody", "tags"]
# A whole sub-shape: the member before it, and everything below.
BELOW = ".**"
# Compared by themselves, name by name (`compare.tag_differences`).
_TAGS = ("Tags", "tags", "TagList")


def _whatever(_seen: Any, _wanted: Any) -> bool:
    return True


def _never(_doc: Mapping[str, Any], _seen: Any, _wanted: Any) -> bool:
    return False


@dataclass(frozen=True)
class Owner:
    """Who holds a field once its resource lives, and which of its values are theirs to choose.

    `holds(seen, wanted)` says whether it is the owner who brought `wanted` to what is `seen`; `also` says the
    same by all that AWS tells of the resource. With `told`, the field is theirs only while AWS tells that
    member of it. With `keeps`, AWS keeps ours behind theirs, untold, and it counts again after theirs. `who`
    may name members of the resource in braces.
    """

    who: str
    holds: Callable[[Any, Any], bool] = _whatever
    told: str = ""
    also: Callable[[Mapping[str, Any], Any, Any], bool] = _never
    keeps: bool = False

    def has(self, doc: Mapping[str, Any], seen: Any, wanted: Any) -> bool:
        """Whether a difference between what is seen and wanted is theirs, where AWS tells `doc`."""
        theirs = self.holds(seen, wanted) or self.also(doc, seen, wanted)
        return (not self.told or bool(doc.get(self.told))) and theirs

    def hides(self, doc: Mapping[str, Any]) -> bool:
        """Whether AWS tells their value in place of ours, which it keeps nevertheless."""
        return self.keeps and bool(doc.get(self.told))

    def named(self, doc: Mapping[str, Any]) -> str:
        """The owner in words."""
        return self.who.format(**doc)


@dataclass(frozen=True)
class Default:
    """What AWS tells of a member of ours that nobody stated; any of a frozenset's values."""

    path: str
    value: Any


def _fits(path: str, pattern: str) -> bool:
    """Whether a path is that of an item itself, and of nothing in it."""
    return path.count(".") == pattern.count(".") and fnmatchcase(path, pattern)


@dataclass(frozen=True)
class Theirs:
    """Members, or items of a collection by a pattern of their names (`Rules.Shield*`), that another owns.

    A name alone proves nothing: `puts` says of an item of such a name whether it is that owner's.
    """

    who: str
    paths: str
    puts: Callable[[Any], bool] = bool

    @property
    def items(self) -> list[str]:
        """The patterns of items among the paths."""
        return [path for path in self.paths.split() if "*" in path and not path.endswith(BELOW)]


@dataclass(frozen=True)
class Members:
    """Whose each member is that AWS tells of a resource type: the table of owners.

    `told` names where AWS tells it: `service operation path`, the path leading to one resource. Each other
    field is a list of members by dotted path, lists left out of it, with blanks between; `A.**` is A and all
    below it; the longest one that fits decides. It is read for what nobody declared: what is declared is
    compared anyway. tests/test_members.py holds the table against botocore's models: every member is classed,
    none has vanished.
    """

    told: tuple[str, ...]
    # Whatever decides who gets in, where a request goes or what it becomes: what nobody declared is a
    # difference, unless it is the default. Without one the default is that there is nothing, or it is off.
    ours: str = ""
    defaults: tuple[Default, ...] = ()
    # Ours too, and compared in the form or under the name that the create call has for it.
    renamed: str = ""
    # Ours too, and compared item by item: what lies in it (`Kind.extras`), or a resource type of its own.
    inside: str = ""
    # Said when it was made, and never to be changed: by nobody.
    born: str = ""
    # Set for the whole account, or by its organisation.
    account: str = ""
    others: tuple[Theirs, ...] = ()
    # What AWS only tells: ids, states, dates, what it chose once for ever.
    aws: str = ""
    # Left as it is.
    nobody: str = ""
    # Maps whose keys may bear dots: what is left of a path below one is one key.
    maps: str = ""

    @cached_property
    def classed(self) -> Mapping[str, tuple[Whose, str]]:
        """Each path of the table, with its class, and its owner's name."""
        listed: dict[str, tuple[Whose, str]] = {}
        for whose, who, path in self.rows():
            listed[path] = (whose, who)
        return listed

    def rows(self) -> Iterator[tuple[Whose, str, str]]:
        """Each row of the table: class, owner's name, path."""
        yield from (("ours", "", path) for path in self.ours.split())
        yield from (("ours", "", one.path) for one in self.defaults)
        for whose, paths in (("renamed", self.renamed), ("inside", self.inside), ("born", self.born)):
            yield from ((whose, "", path) for path in paths.split())  # type: ignore[misc]
        yield from (("account", "the account", path) for path in self.account.split())
        for theirs in self.others:
            yield from (("other", theirs.who, path) for path in theirs.paths.split())
        yield from (("aws", "AWS", path) for path in self.aws.split())
        yield from (("nobody", "", path) for path in self.nobody.split())

    def of(self, path: str) -> tuple[Whose, str] | None:
        """Whose a member is; None where nobody has classed it."""
        if path in self._found:
            return self._found[path]
        names = path.split(".")
        if names[0] in _TAGS:
            return "tags", ""
        found = self.classed.get(path)
        for above in (".".join(names[:end]) for end in range(len(names), 0, -1)):
            found = found or self.classed.get(above + BELOW) or self._below_default(above)
        found = found or self.classed.get("**")
        found = found or next((one for key, one in self._patterns.items() if fnmatchcase(path, key)), None)
        self._found[path] = found
        return found

    def _below_default(self, path: str) -> tuple[Whose, str] | None:
        """A default says of a whole member what it is, and so that all below it is ours."""
        return ("ours", "") if path in self._values else None

    def is_ours(self, path: str) -> bool:
        """Whether a member is ours, stated or not."""
        found = self.of(path)
        return found is not None and found[0] == "ours"

    def has_ours_in(self, path: str) -> bool:
        """Whether something below a member that is not ours is ours."""
        return any(one.startswith(f"{path}.") for one, (whose, _) in self.classed.items() if whose == "ours")

    def are_tags(self, path: str) -> bool:
        """Whether it is the tags, which are set by calls of their own."""
        found = self.of(path)
        return found is not None and found[0] == "tags"

    def is_nobodys(self, path: str) -> bool:
        """Whether a member is left as it is, whoever set it."""
        found = self.of(path)
        return found is not None and found[0] == "nobody"

    @cached_property
    def takes_guests(self) -> bool:
        """Whether another puts items into a collection of ours."""
        return any(one.items for one in self.others)

    def guest(self, path: str, item: Any) -> str:
        """Who put an item into a collection of ours, by its path; "" where it is nobody we know."""
        known = (one for one in self.others if any(_fits(path, key) for key in one.items))
        return next((one.who for one in known if one.puts(item)), "")

    def default(self, path: str) -> Any:
        """What a member of ours is where nobody stated it; None is nothing."""
        return self._values.get(path)

    def below_top(self, path: str) -> list[str]:
        """The keys that lead to a member from the property that it lies in."""
        top, _, rest = path.partition(".")
        return [rest] if top in self.maps.split() else rest.split(".") if rest else []

    @cached_property
    def tops(self) -> Mapping[str, Any]:
        """The properties that have a default, with it: what is sent to have it back."""
        return {one.path: one.value for one in self.defaults if "." not in one.path}

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        return {one.path: one.value for one in self.defaults}

    @cached_property
    def _patterns(self) -> Mapping[str, tuple[Whose, str]]:
        plain = {key: one for key, one in self.classed.items() if not key.endswith(BELOW)}
        return {key: one for key, one in plain.items() if "*" in key}

    @cached_property
    def _found(self) -> dict[str, tuple[Whose, str] | None]:
        return {}
