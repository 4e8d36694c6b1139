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


def run_of(run_id: str, record: Doc) -> Run:
    """Return the run named `run_id`, read from its record."""
    has_ended = record["result"] != _RUNNING
    return Run(
        run=run_id,
        suffix=record["suffix"],
        command=record["command"],
        arguments=tuple(record["arguments"]),
        user=record["who"],
        caller=record.get("caller", ""),
        location=record["place"],
        start=record["start"],
        seconds=record["seconds"] if has_ended else None,
        result=record["result"] if has_ended else UNENDED,
        exit_code=record["exit_code"],
        message=record["message"],
        plan={outcome: count for outcome, count in record["plan"].items() if count},
        settings=record.get("settings", {}),
        resources=tuple(sorted(_resource_runs(record["nodes"]), key=_start_order)),
        calls=_summarize_by_service(record["calls"]),
    )


def _resource_runs(records: Doc) -> Iterable[ResourceRun]:
    """Yield what a run did to each resource, from the `nodes` of its record."""
    for name, record in records.items():
        stages = [(event, seconds) for seconds, event, *_ in record["moments"] if event not in _WAITS]
        failures = (detail for _, event, *detail in record["moments"] if event in ("failed", "stopped"))
        reason = next((detail[1] for detail in failures if detail), "")
        event_times = [moment[0] for moment in record["moments"]]
        yield ResourceRun(
            name,
            record["piece"],
            record["kind"],
            record["verb"],
            record["end"],
            record["id"],
            round(max(event_times) - min(event_times), 3),
            record["waits"],
            tuple(stages),
            reason,
        )


def _start_order(resource: ResourceRun) -> tuple[float, str]:
    """Return the sort key by which resources are in the order in which the work on them began."""
    return (resource.stages[0][1] if resource.stages else 0.0, resource.logical_id)


def _summarize_by_service(calls: Iterable[Any]) -> dict[str, CallSummary]:
    """Return the calls summed up by service.

    A call counts as a retry if it follows a refused call of the same operation for the same resource.
    """
    sums: dict[str, CallSummary] = {}
    refused: set[tuple[str, str]] = set()
    for _, seconds, name, logical_id, error in sorted(calls, key=lambda call: float(call[0])):
        summary = sums.setdefault(name.partition(":")[0], CallSummary())
        summary.count += 1
        summary.retries += (name, logical_id) in refused
        summary.refused += bool(error)
        summary.throttled += error in THROTTLES
        summary.seconds = round(summary.seconds + seconds, 3)
        (refused.add if error else refused.discard)((name, logical_id))
    return dict(sorted(sums.items()))


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
