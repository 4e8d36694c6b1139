"""Field ownership: which members of a resource the stack manages, and which belong to other owners.

Managed members are set back when they differ. Those of others are shown or left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

OwnerClass = Literal["ours", "renamed", "as_children", "create_only", "account", "other", "aws", "nobody", "tags"]
# The suffix of a path that stands for a member and everything below it.
BELOW = ".**"
# The members that hold tags, which are compared tag by tag (`diff.tag_differences`).
_TAGS = ("Tags", "tags", "TagList")


def _any_value(_seen: Any, _wanted: Any) -> bool:
    return True


def _never(_doc: Mapping[str, Any], _seen: Any, _wanted: Any) -> bool:
    return False


@dataclass(frozen=True)
class FieldOwner:
    """Another owner of a field of an existing resource, and which values of the field that owner may set.

    Args:
        name: The owner in words; braces hold members of the resource.
        chooses: Returns whether this owner changed the desired value to the actual one; gets (actual, desired).
        shown_by: A member that AWS returns only while the field is this owner's; "" if there is no such member.
        condition: Like `chooses`, but gets all actual properties first.
        restores: Whether AWS keeps the stack's value, without returning it, and uses it again after theirs.

    """

    name: str
    chooses: Callable[[Any, Any], bool] = _any_value
    shown_by: str = ""
    condition: Callable[[Mapping[str, Any], Any, Any], bool] = _never
    restores: bool = False

    def owns(self, actual: Mapping[str, Any], seen: Any, desired: Any) -> bool:
        """Return whether this owner has caused the difference between the actual and the desired value.

        `actual` holds all actual properties of the resource.
        """
        is_shown = not self.shown_by or bool(actual.get(self.shown_by))
        return is_shown and (self.chooses(seen, desired) or self.condition(actual, seen, desired))

    def hides(self, actual: Mapping[str, Any]) -> bool:
        """Return whether AWS now returns this owner's value in place of the stack's, which it keeps."""
        return self.restores and bool(actual.get(self.shown_by))

    def described_in(self, actual: Mapping[str, Any]) -> str:
        """Return the owner in words."""
        return self.name.format(**actual)


@dataclass(frozen=True)
class Default:
    """The value that AWS returns for a managed member that is not declared; a frozenset lists several."""

    path: str
    value: Any


def _is_item_path(path: str, pattern: str) -> bool:
    """Return whether a path has the depth of the pattern and matches it."""
    return path.count(".") == pattern.count(".") and fnmatchcase(path, pattern)


@dataclass(frozen=True)
class ForeignFields:
    """Members that another owner sets, or items of a collection by a name pattern (`Rules.Shield*`).

    A name alone proves nothing: `recognizes` returns whether an item of such a name was set by that owner.
    """

    owner: str
    paths: str
    recognizes: Callable[[Any], bool] = bool

    @property
    def items(self) -> list[str]:
        """The paths that are patterns for the items of a collection."""
        return [path for path in self.paths.split() if "*" in path and not path.endswith(BELOW)]


@dataclass(frozen=True)
class FieldOwnership:
    """The ownership table of a resource type: who owns each member that AWS returns.

    `shapes` names where AWS returns the resource: `service operation path`, the path leading to one resource.
    Each other field is a list of members as dotted paths, separated by blanks and without list positions.
    `A.**` is A and all below it; the longest path that matches decides. The table is used for members that
    are not declared: those that are declared are compared anyway. tests/resources/test_field_ownership.py
    compares the table
    with botocore's models: each member is classified, and none has vanished.
    """

    shapes: tuple[str, ...]
    # Managed by the stack: all that decides who gets in, where a request goes or what it becomes. A value
    # that is not declared is a difference, unless it is the default. If none is listed, the default is
    # nothing or off.
    ours: str = ""
    defaults: tuple[Default, ...] = ()
    # Managed too, and compared in the form or under the name that the create call has for it.
    renamed: str = ""
    # Managed too, and compared item by item: as children (`ResourceType.unmanaged`), or as a resource type of its own.
    as_children: str = ""
    # Set by the create call, and immutable for everybody.
    create_only: str = ""
    # Set for the whole account, or by its organisation.
    account: str = ""
    foreign: tuple[ForeignFields, ...] = ()
    # Read-only: ids, states, dates, and values that AWS has chosen once for ever.
    read_only: str = ""
    # Managed by nobody: left as it is.
    unowned: str = ""
    # Maps whose keys may contain dots: the rest of a path below one is a single key.
    maps: str = ""

    @cached_property
    def classified(self) -> Mapping[str, tuple[OwnerClass, str]]:
        """Each path of the table, with its class and its owner's name."""
        return {path: (owner_class, owner) for owner_class, owner, path in self.classified_rows()}

    def classified_rows(self) -> Iterator[tuple[OwnerClass, str, str]]:
        """Yield each row of the table as (class, owner's name, path)."""
        yield from (("ours", "", path) for path in self.ours.split())
        yield from (("ours", "", default.path) for default in self.defaults)
        yield from (("renamed", "", path) for path in self.renamed.split())
        yield from (("as_children", "", path) for path in self.as_children.split())
        yield from (("create_only", "", path) for path in self.create_only.split())
        yield from (("account", "the account", path) for path in self.account.split())
        for fields in self.foreign:
            yield from (("other", fields.owner, path) for path in fields.paths.split())
        yield from (("aws", "AWS", path) for path in self.read_only.split())
        yield from (("nobody", "", path) for path in self.unowned.split())

    def class_of(self, path: str) -> tuple[OwnerClass, str] | None:
        """Return the class of a member and its owner's name, or None if the table does not list it."""
        if path in self._class_cache:
            return self._class_cache[path]
        names = path.split(".")
        if names[0] in _TAGS:
            return "tags", ""
        owner_class = self.classified.get(path)
        for path_above in (".".join(names[:end]) for end in range(len(names), 0, -1)):
            owner_class = owner_class or self.classified.get(path_above + BELOW) or self._below_default(path_above)
        owner_class = owner_class or self.classified.get("**")
        matching = (pattern_class for key, pattern_class in self._patterns.items() if fnmatchcase(path, key))
        self._class_cache[path] = owner_class or next(matching, None)
        return self._class_cache[path]

    def _below_default(self, path: str) -> tuple[OwnerClass, str] | None:
        """Return the class "ours" if `path` has a default: then all below that member is managed too."""
        return ("ours", "") if path in self._default_values else None

    def is_ours(self, path: str) -> bool:
        """Return whether a member is managed by the stack, declared or not."""
        return self._has_class(path, "ours")

    def has_ours_below(self, path: str) -> bool:
        """Return whether a member below this one is managed by the stack."""
        return any(
            below.startswith(f"{path}.") for below, (owner_class, _) in self.classified.items() if owner_class == "ours"
        )

    def are_tags(self, path: str) -> bool:
        """Return whether a member holds tags, which are set by calls of their own."""
        return self._has_class(path, "tags")

    def is_unowned(self, path: str) -> bool:
        """Return whether a member is left as it is, whoever set it."""
        return self._has_class(path, "nobody")

    def _has_class(self, path: str, owner_class: OwnerClass) -> bool:
        known_class = self.class_of(path)
        return known_class is not None and known_class[0] == owner_class

    @cached_property
    def has_foreign_items(self) -> bool:
        """Whether another owner may put items into a collection that the stack manages."""
        return any(fields.items for fields in self.foreign)

    def foreign_owner(self, path: str, item: Any) -> str:
        """Return the owner that put the item at `path` into a managed collection; "" if none is known."""
        for fields in self.foreign:
            if any(_is_item_path(path, pattern) for pattern in fields.items) and fields.recognizes(item):
                return fields.owner
        return ""

    def default(self, path: str) -> Any:
        """Return the default of a managed member; None means that it does not exist."""
        return self._default_values.get(path)

    def below_top(self, path: str) -> list[str]:
        """Return the keys that lead to a member from the top-level property that contains it."""
        top, _, rest = path.partition(".")
        return [rest] if top in self.maps.split() else rest.split(".") if rest else []

    @cached_property
    def default_properties(self) -> Mapping[str, Any]:
        """The top-level properties that have a default, with it; the default is sent to reset a property."""
        return {default.path: default.value for default in self.defaults if "." not in default.path}

    @cached_property
    def _default_values(self) -> Mapping[str, Any]:
        return {default.path: default.value for default in self.defaults}

    @cached_property
    def _patterns(self) -> Mapping[str, tuple[OwnerClass, str]]:
        return {
            path: owner_class
            for path, owner_class in self.classified.items()
            if "*" in path and not path.endswith(BELOW)
        }

    @cached_property
    def _class_cache(self) -> dict[str, tuple[OwnerClass, str] | None]:
        return {}
