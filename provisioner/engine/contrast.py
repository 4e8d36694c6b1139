"""The comparison of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.past import UNENDED, CallSummary, Run

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class RunDiff:
    """The differences between two runs: pairs of the value in each, None where a run has none."""

    first: Run
    second: Run
    typed: Pair | None
    settings: Mapping[str, Pair]
    plan: Mapping[str, Pair]
    steps: Mapping[str, Pair]
    seconds: Mapping[str, Pair]
    calls: Mapping[str, Pair]
    result: Mapping[str, Pair]

    @property
    def slowest(self) -> Iterator[tuple[str, float, float]]:
        """The resources with the same action in both runs, with the seconds in each; the widest gap first."""
        yield from sorted(((name, *pair) for name, pair in self.seconds.items()), key=lambda row: -abs(row[2] - row[1]))


def diff_runs(one: Run, other: Run) -> RunDiff:
    """Return the differences between two runs."""
    alike = one.arguments == other.arguments
    actions = [
        {part.logical_id: f"{part.action}, {part.outcome or UNENDED}" for part in run.resources} for run in (one, other)
    ]
    times = [{(part.logical_id, part.action): part.seconds for part in run.resources} for run in (one, other)]
    return RunDiff(
        one,
        other,
        None if alike else (list(one.arguments), list(other.arguments)),
        _differing(one.settings, other.settings) if one.settings and other.settings else {},
        _differing(one.plan, other.plan),
        _differing(*actions),
        {node: pair for (node, _), pair in _differing(*times).items() if None not in pair},
        _differing(_counts(one.calls), _counts(other.calls)),
        _differing(*({"result": run.result, "message": run.message} for run in (one, other))),
    )


def _differing(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Pair]:
    pairs = {key: (one.get(key), other.get(key)) for key in {**one, **other}}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _counts(calls: Mapping[str, CallSummary]) -> dict[str, tuple[int, int, int]]:
    """Return the numbers by service that are compared: calls, retries, throttles. Seconds always differ."""
    return {name: (one.count, one.retries, one.throttled) for name, one in calls.items()}
