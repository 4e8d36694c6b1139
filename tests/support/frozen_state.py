"""A state that nothing may change: any attribute that is set and any mutation of a mapping or list in it raises."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from state.stack_state import Intent, ResourceState, StackState


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise AssertionError(f"a frozen {type(self).__name__} was changed")


def _frozen(base: type[Any], *mutators: str) -> type[Any]:
    return type(f"Frozen{base.__name__.title()}", (base,), dict.fromkeys(mutators, _refuse))


FrozenDict = _frozen(
    *(dict, "__setitem__", "__delitem__", "__ior__", "pop", "popitem", "update", "setdefault", "clear")
)
FrozenList = _frozen(
    *(list, "__setitem__", "__delitem__", "__iadd__", "append", "extend", "insert", "pop", "remove", "sort", "clear")
)


class Freezer:
    """Freezes states for the length of one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._frozen: list[object] = []
        for part in (StackState, ResourceState, Intent):
            monkeypatch.setattr(part, "__setattr__", self._set, raising=False)

    def freeze(self, state: StackState) -> StackState:
        """Freeze a state and all that it holds; return it."""
        self._freeze(state)
        return state

    @property
    def count(self) -> int:
        """How many objects are frozen."""
        return len(self._frozen)

    def _freeze(self, value: Any) -> Any:
        match value:
            case StackState() | ResourceState() | Intent():
                for name, inner in vars(value).items():
                    object.__setattr__(value, name, self._freeze(inner))
                self._frozen.append(value)
                return value
            case dict():
                return FrozenDict({key: self._freeze(inner) for key, inner in value.items()})
            case list():
                return FrozenList(self._freeze(inner) for inner in value)
            case _:
                return value

    def _is_frozen(self, part: object) -> bool:
        return any(part is frozen for frozen in self._frozen)

    @property
    def _set(self) -> Any:
        def set_attribute(part: object, name: str, value: object) -> None:
            if self._is_frozen(part):
                raise AssertionError(f"{type(part).__name__}.{name} was set in a frozen state")
            object.__setattr__(part, name, value)

        return set_attribute
