"""Storage for the emulator's own data beside moto's, by account and region; one reset empties all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from provisioner.emulator.wire import AccountRegion, Call

Item = TypeVar("Item")
_clear: list[Callable[[], None]] = []


class AccountStore(Generic[Item]):
    """Items by key, kept apart by account and region, and emptied by a reset."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], dict[str, Item]] = {}
        on_reset(self.clear)

    def of(self, call: Call | AccountRegion) -> dict[str, Item]:
        """Return the items of a call's account and region; the dict may be changed."""
        return self.at(call.account, call.region)

    def at(self, account: str, region: str) -> dict[str, Item]:
        """Return the items of an account and region; the dict may be changed."""
        return self._places.setdefault((account, region), {})

    def clear(self) -> None:
        """Delete all items."""
        self._places.clear()


def on_reset(clear: Callable[[], None]) -> None:
    """Register a function that a reset of the emulator calls."""
    _clear.append(clear)


def clear_all() -> None:
    """Call all functions that are registered for a reset."""
    for clear in _clear:
        clear()
