"""A run that is over, told from its record, and what differs between two runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.calls.error_codes import THROTTLES

Doc = Mapping[str, Any]
_WAITS = ("waiting", "retrying")
# The record is first written when the run begins. If it still says "running", the run was killed.
_RUNNING, UNENDED = "running", "did not end"


@dataclass
class CallSummary:
    """A summary of the calls to one service.

    `retries` counts the calls that followed a refused one, `throttled` those that AWS throttled.
    """

    count: int = 0
    retries: int = 0
    refused: int = 0
    throttled: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class ResourceRun:
    """One resource in a run: its action, its end, and the seconds at which it reached each stage."""

    logical_id: str = field(metadata={"json": "node"})
    step: str = field(metadata={"json": "piece"})
    type_name: str = field(metadata={"json": "kind"})
    action: str = field(metadata={"json": "verb"})
    outcome: str = field(metadata={"json": "end"})
    id: str
    seconds: float
    waits: int
    stages: tuple[tuple[str, float], ...] = ()
    reason: str = field(default="", metadata={"json": "why"})


@dataclass(frozen=True)
class Run:
    """One run. `seconds` is None if it did not end.

    `user` is the user and the machine, `caller` the identity in AWS.
    """

    run: str
    suffix: str
    command: str
    arguments: tuple[str, ...]
    user: str = field(metadata={"json": "who"})
    caller: str
    location: Doc = field(metadata={"json": "place"})
    start: float
    seconds: float | None
    result: str
    exit_code: int | None
    message: str
    plan: Mapping[str, int]
    settings: Doc
    resources: tuple[ResourceRun, ...] = field(default=(), metadata={"json": "parts"})
    calls: Mapping[str, CallSummary] = field(default_factory=dict)


def run_of(run: str, record: Doc) -> Run:
    """Return the run named `run`, read from its record."""
    ended = record["result"] != _RUNNING
    return Run(
        run=run,
        suffix=record["suffix"],
        command=record["command"],
        arguments=tuple(record["arguments"]),
        user=record["who"],
        caller=record.get("caller", ""),
        location=record["place"],
        start=record["start"],
        seconds=record["seconds"] if ended else None,
        result=record["result"] if ended else UNENDED,
        exit_code=record["exit_code"],
        message=record["message"],
        plan={word: count for word, count in record["plan"].items() if count},
        settings=record.get("settings", {}),
        resources=tuple(sorted(_parts(record["nodes"]), key=_begin)),
        calls=_by_service(record["calls"]),
    )


def _parts(logical_ids: Doc) -> Iterable[ResourceRun]:
    for name, record in logical_ids.items():
        stages = [(what, at) for at, what, *_ in record["moments"] if what not in _WAITS]
        ends = (about for _, what, *about in record["moments"] if what in ("failed", "stopped"))
        why = next((about[1] for about in ends if about), "")
        times = [moment[0] for moment in record["moments"]]
        yield ResourceRun(
            name,
            record["piece"],
            record["kind"],
            record["verb"],
            record["end"],
            record["id"],
            round(max(times) - min(times), 3),
            record["waits"],
            tuple(stages),
            why,
        )


def _begin(part: ResourceRun) -> tuple[float, str]:
    return (part.stages[0][1] if part.stages else 0.0, part.logical_id)


def _by_service(calls: Iterable[Any]) -> dict[str, CallSummary]:
    """Return the calls summed up by service.

    A call counts as a retry if it follows a refused call of the same operation for the same resource.
    """
    sums: dict[str, CallSummary] = {}
    refused: set[tuple[str, str]] = set()
    for _, seconds, name, node, error in sorted(calls, key=lambda call: float(call[0])):
        one = sums.setdefault(name.partition(":")[0], CallSummary())
        one.count += 1
        one.retries += (name, node) in refused
        one.refused += bool(error)
        one.throttled += error in THROTTLES
        one.seconds = round(one.seconds + seconds, 3)
        (refused.add if error else refused.discard)((name, node))
    return dict(sorted(sums.items()))


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
