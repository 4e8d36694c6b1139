"""Output of the differences between two runs, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.engine.runs.run import Pair, RunDiff
from provisioner.terminal.console import Console
from provisioner.terminal.differences import told
from provisioner.terminal.run import began, planned, took

# How many resources with different times are named, and the difference in seconds below which it is noise.
_NAMED, _NOISE = 10, 0.5


def show_run_diff(console: Console, found: RunDiff) -> None:
    """Print the differences between two runs, with the first run on the left."""
    if console.as_json:
        console.record("diff", **_record(found))
        return
    for run in (found.first, found.second):
        console.data(
            f"{run.run}: {run.command} of {run.suffix}, {run.user}, {began(run)}, "
            f"{planned(run.plan)}, {took(run.seconds)}, {run.result}"
        )
    lines = list(_lines(found))
    for line in lines or ["Nothing differs but time."]:
        console.data(line)


def _lines(found: RunDiff) -> Iterator[str]:
    """Yield the differences as lines of text, section by section; nothing if the runs are alike."""
    if found.typed:
        yield "typed"
        yield from (f"  {sign} {shlex.join(one)}" for sign, one in zip("-+", found.typed, strict=True))
    yield from _section("settings", found.settings)
    yield from _section("plan", found.plan)
    yield from _alike("resources", found.steps)
    yield from _durations(found)
    yield from _section("calls (retries, throttled)", _worded(found.calls))
    yield from _section("result", found.result)


def _section(title: str, pairs: Mapping[str, Pair]) -> Iterator[str]:
    """Yield a title and a line for each pair of different values; nothing if there are none."""
    if pairs:
        yield title
        yield from (f"  {name}: {told(old)} -> {told(new)}" for name, (old, new) in pairs.items())


def _alike(title: str, pairs: Mapping[str, Pair]) -> Iterator[str]:
    """Yield a section with one line for all resources that have the same pair of values."""
    groups: dict[Pair, list[str]] = {}
    for name, pair in pairs.items():
        groups.setdefault(pair, []).append(name)
    yield from _section(title, {", ".join(names): pair for pair, names in groups.items()})


def _durations(found: RunDiff) -> Iterator[str]:
    """Yield the resources whose times differ most, and how many more there are."""
    rows = [row for row in found.slowest if abs(row[2] - row[1]) >= _NOISE]
    if rows:
        yield "took"
        yield from (f"  {name}: {took(one)} -> {took(other)}" for name, one, other in rows[:_NAMED])
    if len(rows) > _NAMED:
        yield f"  and {len(rows) - _NAMED} more"


def _worded(calls: Mapping[str, Pair]) -> dict[str, Pair]:
    """Return the counts of calls by service as text: calls (retries, throttled)."""

    def words(one: tuple[int, int, int] | None) -> str | None:
        return f"{one[0]} ({one[1]}, {one[2]})" if one else None

    return {name: (words(one), words(other)) for name, (one, other) in calls.items()}


def _record(found: RunDiff) -> dict[str, Any]:
    """Return the differences for the JSON output."""
    sections = ("typed", "settings", "plan", "steps", "seconds", "calls", "result")
    return {
        "runs": [found.first.run, found.second.run],
        "took": [found.first.seconds, found.second.seconds],
        **{name: getattr(found, name) for name in sections},
    }
