"""Output of the differences between two runs, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.engine.runs.run_diff import RunDiff, ValuePair
from provisioner.terminal.console import Console
from provisioner.terminal.differences import format_value
from provisioner.terminal.run import describe_counts, format_seconds, start_time

# How many resources with different times are named, and the difference in seconds below which it is noise.
_MAX_NAMED, _NOISE_SECONDS = 10, 0.5


def show_run_diff(console: Console, diff: RunDiff) -> None:
    """Print the differences between two runs, with the first run on the left."""
    if console.as_json:
        console.record("diff", **_diff_json(diff))
        return
    for run in (diff.first, diff.second):
        console.text(
            f"{run.run}: {run.command} of {run.suffix}, {run.user}, {start_time(run)}, "
            f"{describe_counts(run.plan)}, {format_seconds(run.seconds)}, {run.result}"
        )
    lines = list(_diff_lines(diff))
    for line in lines or ["Nothing differs except the duration."]:
        console.text(line)


def _diff_lines(diff: RunDiff) -> Iterator[str]:
    """Yield the differences as lines of text, section by section; nothing if the runs are alike."""
    if diff.typed:
        yield "typed"
        yield from (f"  {sign} {shlex.join(arguments)}" for sign, arguments in zip("-+", diff.typed, strict=True))
    yield from _section("settings", diff.settings)
    yield from _section("plan", diff.plan)
    yield from _grouped_section("resources", diff.steps)
    yield from _duration_lines(diff)
    yield from _section("calls (retries, throttled)", _describe_calls(diff.calls))
    yield from _section("result", diff.result)


def _section(title: str, pairs: Mapping[str, ValuePair]) -> Iterator[str]:
    """Yield a title and a line for each pair of different values; nothing if there are none."""
    if pairs:
        yield title
        yield from (f"  {name}: {format_value(old)} -> {format_value(new)}" for name, (old, new) in pairs.items())


def _grouped_section(title: str, pairs: Mapping[str, ValuePair]) -> Iterator[str]:
    """Yield a section with one line for all resources that have the same pair of values."""
    groups: dict[ValuePair, list[str]] = {}
    for name, pair in pairs.items():
        groups.setdefault(pair, []).append(name)
    yield from _section(title, {", ".join(names): pair for pair, names in groups.items()})


def _duration_lines(diff: RunDiff) -> Iterator[str]:
    """Yield the resources whose times differ most, and how many more there are."""
    rows = [row for row in diff.time_differences if abs(row[2] - row[1]) >= _NOISE_SECONDS]
    if rows:
        yield "took"
        yield from (
            f"  {name}: {format_seconds(first)} -> {format_seconds(second)}"
            for name, first, second in rows[:_MAX_NAMED]
        )
    if len(rows) > _MAX_NAMED:
        yield f"  and {len(rows) - _MAX_NAMED} more"


def _describe_calls(calls: Mapping[str, ValuePair]) -> dict[str, ValuePair]:
    """Return the counts of calls by service as text: calls (retries, throttled)."""

    def describe(counts: tuple[int, int, int] | None) -> str | None:
        return f"{counts[0]} ({counts[1]}, {counts[2]})" if counts else None

    return {name: (describe(first), describe(second)) for name, (first, second) in calls.items()}


def _diff_json(diff: RunDiff) -> dict[str, Any]:
    """Return the differences for the JSON output."""
    sections = ("typed", "settings", "plan", "steps", "seconds", "calls", "result")
    return {
        "runs": [diff.first.run, diff.second.run],
        "took": [diff.first.seconds, diff.second.seconds],
        **{name: getattr(diff, name) for name in sections},
    }
