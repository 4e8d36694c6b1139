"""What differs between two runs: settings, plan, durations, calls, result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.runs.run import UNENDED, CallSummary, Run

# A value of the first run, and of the second.
ValuePair = tuple[Any, Any]


@dataclass(frozen=True)
class RunDiff:
    """The differences between two runs: pairs of the value in each, None where a run has none."""

    first: Run
    second: Run
    typed: ValuePair | None
    settings: Mapping[str, ValuePair]
    plan: Mapping[str, ValuePair]
    steps: Mapping[str, ValuePair]
    seconds: Mapping[str, ValuePair]
    calls: Mapping[str, ValuePair]
    result: Mapping[str, ValuePair]

    @property
    def time_differences(self) -> Iterator[tuple[str, float, float]]:
        """The resources with the same action in both runs, with the seconds in each; the widest gap first."""
        yield from sorted(((name, *pair) for name, pair in self.seconds.items()), key=lambda row: -abs(row[2] - row[1]))


def diff_runs(first: Run, second: Run) -> RunDiff:
    """Return the differences between two runs."""
    has_same_arguments = first.arguments == second.arguments
    actions = [
        {resource.logical_id: f"{resource.action}, {resource.outcome or UNENDED}" for resource in run.resources}
        for run in (first, second)
    ]
    times = [
        {(resource.logical_id, resource.action): resource.seconds for resource in run.resources}
        for run in (first, second)
    ]
    return RunDiff(
        first,
        second,
        None if has_same_arguments else (list(first.arguments), list(second.arguments)),
        _differences(first.settings, second.settings) if first.settings and second.settings else {},
        _differences(first.plan, second.plan),
        _differences(*actions),
        {logical_id: pair for (logical_id, _), pair in _differences(*times).items() if None not in pair},
        _differences(_call_counts(first.calls), _call_counts(second.calls)),
        _differences(*({"result": run.result, "message": run.message} for run in (first, second))),
    )


def _differences(first: Mapping[Any, Any], second: Mapping[Any, Any]) -> dict[Any, ValuePair]:
    """Return the pairs of values that differ, by key; None stands for a missing value."""
    pairs = {key: (first.get(key), second.get(key)) for key in {**first, **second}}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _call_counts(calls: Mapping[str, CallSummary]) -> dict[str, tuple[int, int, int]]:
    """Return the numbers by service that are compared: calls, retries, throttles. Seconds always differ."""
    return {name: (summary.count, summary.retries, summary.throttled) for name, summary in calls.items()}
