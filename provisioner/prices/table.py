"""The price table: the one that comes with the tool, or newer prices that were read from AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

# If the table lacks a price of a region, the price of this region is used, and the plan says so.
FALLBACK = "us-east-1"


@dataclass
class Prices:
    """The prices of one region; `borrowed` collects the keys of prices that were taken from elsewhere."""

    region: str
    as_of: str
    known: Mapping[str, float]
    elsewhere: Mapping[str, float]
    borrowed: set[str] = field(default_factory=set)

    def of(self, key: str) -> float:
        """Return one price in US dollars."""
        if key in self.known:
            return self.known[key]
        self.borrowed.add(key)
        return self.elsewhere[key]


def prices(region: str, refreshed: Path) -> Prices:
    """Return the prices of a region; newer prices in the file `refreshed` come before those of the tool."""
    table = _built_in()
    everywhere = table["everywhere"]
    known = everywhere | table["regions"].get(region, {})
    newer = _kept(refreshed).get(region)
    if newer:
        return Prices(region, newer["as_of"], known | newer["prices"], everywhere | table["regions"][FALLBACK])
    return Prices(region, table["as_of"], known, everywhere | table["regions"][FALLBACK])


def keep(path: Path, region: str, as_of: str, found: Mapping[str, float]) -> None:
    """Write the prices that AWS gave for one region to a file; other regions in it stay as they are."""
    kept = _kept(path) | {region: {"as_of": as_of, "prices": dict(found)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")


@cache
def _built_in() -> dict[str, Any]:
    """Return the price table that comes with the tool."""
    text = files("provisioner.prices").joinpath("table.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _kept(path: Path) -> dict[str, Any]:
    """Return the newer prices in a file, by region; {} if the file is missing or malformed."""
    try:
        kept: dict[str, Any] = json.loads(path.read_bytes())
        return kept if all(map(_is_table, kept.values())) else {}
    except (OSError, ValueError, AttributeError, RecursionError):  # only a cache: the tool's own table serves
        return {}


def _is_table(one: Any) -> bool:
    """Return whether a value has the form of one region's prices: a date, and numbers by key."""
    told = one.get("prices") if isinstance(one, dict) else None
    if not isinstance(told, dict) or not isinstance(one.get("as_of"), str):
        return False
    return all(isinstance(price, int | float) for price in told.values())
