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
    regional: Mapping[str, float]
    fallback: Mapping[str, float]
    borrowed: set[str] = field(default_factory=set)

    def price(self, key: str) -> float:
        """Return one price in US dollars."""
        if key in self.regional:
            return self.regional[key]
        self.borrowed.add(key)
        return self.fallback[key]


def load_prices(region: str, saved_path: Path) -> Prices:
    """Return the prices of a region; newer prices in the file `saved_path` come before those of the tool."""
    table = _built_in_table()
    everywhere = table["everywhere"]
    regional = everywhere | table["regions"].get(region, {})
    saved = _saved_prices(saved_path).get(region)
    if saved:
        return Prices(region, saved["as_of"], regional | saved["prices"], everywhere | table["regions"][FALLBACK])
    return Prices(region, table["as_of"], regional, everywhere | table["regions"][FALLBACK])


def save_prices(path: Path, region: str, as_of: str, new_prices: Mapping[str, float]) -> None:
    """Write the prices that AWS gave for one region to a file; other regions in it stay as they are."""
    tables = _saved_prices(path) | {region: {"as_of": as_of, "prices": dict(new_prices)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tables, indent=1), encoding="utf-8")


@cache
def _built_in_table() -> dict[str, Any]:
    """Return the price table that comes with the tool."""
    text = files("provisioner.prices").joinpath("table.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _saved_prices(path: Path) -> dict[str, Any]:
    """Return the newer prices in a file, by region; {} if the file is missing or malformed."""
    try:
        tables: dict[str, Any] = json.loads(path.read_bytes())
        return tables if all(map(_is_region_table, tables.values())) else {}
    except (OSError, ValueError, AttributeError, RecursionError):  # only a cache: the tool's own table serves
        return {}


def _is_region_table(table: Any) -> bool:
    """Return whether a value has the form of one region's prices: a date, and numbers by key."""
    prices = table.get("prices") if isinstance(table, dict) else None
    if not isinstance(prices, dict) or not isinstance(table.get("as_of"), str):
        return False
    return all(isinstance(price, int | float) for price in prices.values())
