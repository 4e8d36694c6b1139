"""What the box remembers beside moto, by account and region; one reset empties every shelf."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from provisioner.embedded.wire import Call, Place

Item = TypeVar("Item")
_clear: list[Callable[[], None]] = []


class Shelf(Generic[Item]):
    """Items by key, kept apart by account and region."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], dict[str, Item]] = {}
        on_reset(self.clear)

    def of(self, call: Call | Place) -> dict[str, Item]:
        """Return the items of the caller's account and region."""
        return self.at(call.account, call.region)

    def at(self, account: str, region: str) -> dict[str, Item]:
        """Return the items of an account and region."""
        return self._places.setdefault((account, region), {})

    def clear(self) -> None:
        """Forget everything."""
        self._places.clear()


def on_reset(clear: Callable[[], None]) -> None:
    """Have something forgotten with everything else."""
    _clear.append(clear)


def clear_all() -> None:
    """Empty every shelf there is."""
    for clear in _clear:
        clear()
