"""Output of finished runs, as text and as JSON."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.engine.runs.run import UNENDED, CallSummary, ResourceRun, Run
from provisioner.terminal.console import Console
from provisioner.terminal.tables import Narrowing
from state.serialization import as_json

_HISTORY_HEADINGS = ("run", "stack", "command", "who", "as", "plan", "took", "result", "typed")
_NARROW_HISTORY = Narrowing(left_out=("as",), below=("plan", "typed"))
_NARROW_RESOURCES = Narrowing(left_out=("stages", "kind"))
_RESOURCE_HEADINGS = ("resource", "kind", "done", "end", "took", "stages")
_CALL_HEADINGS = ("service", "calls", "retries", "refused", "throttled", "seconds")
_SECONDS_PER_MINUTE = 60
SUCCESS = "ok"


def show_history(console: Console, runs: Iterable[Run]) -> None:
    """Print a line for each run."""
    if console.as_json:
        console.record("history", runs=[_run_without_details(run) for run in runs])
        return
    console.table((_history_row(run) for run in runs), _HISTORY_HEADINGS, _NARROW_HISTORY)


def show_run(console: Console, run: Run) -> None:
    """Print one run: its arguments, its result, each resource, and the calls by service."""
    if console.as_json:
        console.record("run", **run_json(run))
        return
    for line in _head_lines(run):
        console.text(line)
    _show_resources(console, run)
    if run.calls:
        console.text()
        console.table((_call_row(service, calls) for service, calls in run.calls.items()), _CALL_HEADINGS)
        console.text()
    for line in run.message.splitlines():
        console.text(line)
    console.text(end_sentence(run), "green" if run.result == SUCCESS else "red")


def run_json(run: Run) -> dict[str, Any]:
    """Return the run for the JSON output."""
    resources = [{**as_json(resource), "stages": dict(resource.stages)} for resource in run.resources]
    return {**as_json(run), "start": start_time(run), "parts": resources}


def describe_counts(plan: Mapping[str, int]) -> str:
    """Return the counts of a plan as text, such as "2 to add, 1 refused"."""
    labels = {"refused": "refused", "roles": "of the account's own roles"}
    texts = (f"{count} {labels.get(outcome, f'to {outcome}')}" for outcome, count in plan.items())
    return ", ".join(texts) or "no changes"


def start_time(run: Run) -> str:
    """Return the UTC time at which the run began."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.start))


def format_seconds(seconds: float | None) -> str:
    """Return a duration as text; "-" for None."""
    if seconds is None:
        return "-"
    minutes, remaining = divmod(seconds, _SECONDS_PER_MINUTE)
    return f"{minutes:.0f} min {remaining:02.0f} s" if minutes else f"{remaining:.1f} s"


def end_sentence(run: Run) -> str:
    """Return the sentence about the end of a run."""
    if run.seconds is None:
        return f"{run.run} {UNENDED}: it is under way, or was killed."
    return f"{run.run} ended after {format_seconds(run.seconds)}: {run.result}, exit code {run.exit_code}."


def _run_without_details(run: Run) -> dict[str, Any]:
    """Return the run for the JSON list of runs, without resources, calls and settings."""
    document = run_json(run)
    return {name: value for name, value in document.items() if name not in ("parts", "calls", "settings")}


def _history_row(run: Run) -> tuple[str, ...]:
    """Return the cells of one run in the list of runs."""
    plan, command_line = describe_counts(run.plan), shlex.join(run.arguments)
    started_by = (run.user, caller_name(run.caller) or "-")
    return (run.run, run.suffix, run.command, *started_by, plan, format_seconds(run.seconds), run.result, command_line)


def caller_name(caller: str) -> str:
    """Return the last part of an ARN, which names the user or role in its account."""
    return caller.rpartition(":")[2]


def _head_lines(run: Run) -> Iterator[str]:
    """Yield the lines about the run as a whole."""
    location = f"account {run.location['account']}, region {run.location['region']}"
    local_note = ", local AWS" if str(run.location["endpoint"]).startswith("embedded:") else ""
    yield f"{run.run}: {run.command} of {run.suffix}"
    yield f"  by     {run.user}, {start_time(run)}" + (f", as {run.caller}" if run.caller else "")
    yield f"  in     {location}{local_note}"
    yield f"  typed  {shlex.join(run.arguments)}"
    yield f"  plan   {describe_counts(run.plan)}"


def _show_resources(console: Console, run: Run) -> None:
    """Print the table of the resources, and the reason for each that failed or was stopped."""
    if run.resources:
        console.text()
        console.table(map(_resource_row, run.resources), _RESOURCE_HEADINGS, _NARROW_RESOURCES)
    for resource in run.resources:
        if resource.reason:
            console.text(f"{resource.step}/{resource.logical_id}: {resource.reason}")


def _resource_row(resource: ResourceRun) -> tuple[str, ...]:
    """Return the cells of one resource."""
    stages = " ".join(f"{stage} {seconds:.1f}" for stage, seconds in resource.stages)
    waits = f" ({resource.waits} waits)" if resource.waits > 1 else ""
    address = f"{resource.step}/{resource.logical_id}" if resource.step else resource.logical_id
    outcome, duration = resource.outcome or UNENDED, format_seconds(resource.seconds)
    return (address, resource.type_name, resource.action, outcome, duration, stages + waits)


def _call_row(service: str, calls: CallSummary) -> tuple[str, ...]:
    """Return the cells of one service."""
    counts = (calls.count, calls.retries, calls.refused, calls.throttled)
    return (service, *map(str, counts), f"{calls.seconds:.1f}")
