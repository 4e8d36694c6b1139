"""A run that is over, as its record describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.calls.error_codes import THROTTLES

Doc = Mapping[str, Any]
_WAITS = ("waiting", "retrying")
# The record is first written when the run begins. If it still says "running", the run was killed.
RUNNING, UNENDED = "running", "did not end"


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
    has_ended = record["result"] != RUNNING
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
            failure_reason(record),
        )


def failure_reason(record: Doc) -> str:
    """Return why the work on a resource failed or was stopped, from its record; "" if it did not fail."""
    failures = (detail for _, event, *detail in record["moments"] if event in ("failed", "stopped"))
    return next((str(detail[1]) for detail in failures if detail), "")


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
