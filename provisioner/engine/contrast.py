"""The comparison of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.past import UNENDED, Calls, Past

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Contrast:
    """The differences between two runs: pairs of the value in each, None where a run has none."""

    one: Past
    other: Past
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


def contrast(one: Past, other: Past) -> Contrast:
    """Return the differences between two runs."""
    alike = one.arguments == other.arguments
    verbs = [{part.node: f"{part.verb}, {part.end or UNENDED}" for part in run.parts} for run in (one, other)]
    times = [{(part.node, part.verb): part.seconds for part in run.parts} for run in (one, other)]
    return Contrast(
        one,
        other,
        None if alike else (list(one.arguments), list(other.arguments)),
        _differing(one.settings, other.settings) if one.settings and other.settings else {},
        _differing(one.plan, other.plan),
        _differing(*verbs),
        {node: pair for (node, _), pair in _differing(*times).items() if None not in pair},
        _differing(_counts(one.calls), _counts(other.calls)),
        _differing(*({"result": run.result, "message": run.message} for run in (one, other))),
    )


def _differing(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Pair]:
    pairs = {key: (one.get(key), other.get(key)) for key in {**one, **other}}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _counts(calls: Mapping[str, Calls]) -> dict[str, tuple[int, int, int]]:
    """Return the numbers by service that are compared: calls, retries, throttles. Seconds always differ."""
    return {name: (one.count, one.retries, one.throttled) for name, one in calls.items()}
