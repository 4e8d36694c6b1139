"""Fields have owners: what another one holds is shown, and never set back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _whatever(_seen: Any, _wanted: Any) -> bool:
    return True


@dataclass(frozen=True)
class Owner:
    """Who holds a field once its resource lives, and which of its values are theirs to choose.

    `holds(seen, wanted)` says whether it is the owner who brought `wanted` to what is `seen`.
    """

    who: str
    holds: Callable[[Any, Any], bool] = _whatever
