"""Output of finished runs, as text and as JSON."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.engine.runs.run import UNENDED, CallSummary, ResourceRun, Run
from provisioner.terminal.console import Console, table
from state.serialization import as_json

_HISTORY = ("run", "stack", "command", "who", "as", "plan", "took", "result", "typed")
_PARTS = ("resource", "kind", "done", "end", "took", "stages")
_CALLS = ("service", "calls", "retries", "refused", "throttled", "seconds")
_MINUTE = 60
_GOOD = "ok"


def show_history(console: Console, runs: Iterable[Run]) -> None:
    """Print a line for each run."""
    if console.as_json:
        console.record("history", runs=[_brief(run) for run in runs])
        return
    for line in table((_row(run) for run in runs), _HISTORY):
        console.data(line)


def show_run(console: Console, run: Run) -> None:
    """Print one run: its arguments, its result, each resource, and the calls by service."""
    if console.as_json:
        console.record("run", **as_doc(run))
        return
    for line in (*_head(run), *_parts(run), *_calls(run)):
        console.data(line)
    if run.message:
        console.data(run.message)
    console.data(console.paint(ending(run), "green" if run.result == _GOOD else "red"))


def as_doc(run: Run) -> dict[str, Any]:
    """Return the run for the JSON output."""
    parts = [{**as_json(part), "stages": dict(part.stages)} for part in run.resources]
    return {**as_json(run), "start": began(run), "parts": parts}


def planned(plan: Mapping[str, int]) -> str:
    """Return the counts of a plan as text, such as "2 to add, 1 refused"."""
    words = {"refused": "refused", "roles": "of the account's own roles"}
    told = (f"{count} {words.get(word, f'to {word}')}" for word, count in plan.items())
    return ", ".join(told) or "no changes"


def began(run: Run) -> str:
    """Return the UTC time at which the run began."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.start))


def took(seconds: float | None) -> str:
    """Return a duration as text; "-" for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(seconds, _MINUTE)
    return f"{minutes:.0f} min {rest:02.0f} s" if minutes else f"{rest:.1f} s"


def ending(run: Run) -> str:
    """Return the sentence about the end of a run."""
    if run.seconds is None:
        return f"{run.run} {UNENDED}: it is under way, or was killed."
    return f"{run.run} ended after {took(run.seconds)}: {run.result}, exit code {run.exit_code}."


def _brief(run: Run) -> dict[str, Any]:
    """Return the run for the JSON list of runs, without resources, calls and settings."""
    told = as_doc(run)
    return {name: value for name, value in told.items() if name not in ("parts", "calls", "settings")}


def _row(run: Run) -> tuple[str, ...]:
    """Return the cells of one run in the list of runs."""
    plan, typed = planned(run.plan), shlex.join(run.arguments)
    by = (run.user, name_of(run.caller) or "-")
    return (run.run, run.suffix, run.command, *by, plan, took(run.seconds), run.result, typed)


def name_of(caller: str) -> str:
    """Return the last part of an ARN, which names the user or role in its account."""
    return caller.rpartition(":")[2]


def _head(run: Run) -> Iterator[str]:
    """Yield the lines about the run as a whole."""
    where = f"account {run.location['account']}, region {run.location['region']}"
    rehearsal = ", a rehearsal" if str(run.location["endpoint"]).startswith("embedded:") else ""
    yield f"{run.run}: {run.command} of {run.suffix}"
    yield f"  by     {run.user}, {began(run)}" + (f", as {run.caller}" if run.caller else "")
    yield f"  in     {where}{rehearsal}"
    yield f"  typed  {shlex.join(run.arguments)}"
    yield f"  plan   {planned(run.plan)}"


def _parts(run: Run) -> Iterator[str]:
    """Yield the table of the resources, and the reason for each that failed or was stopped."""
    if run.resources:
        yield from ("", *table(map(_cells, run.resources), _PARTS))
    for part in run.resources:
        if part.reason:
            yield f"{part.step}/{part.logical_id}: {part.reason}"


def _cells(part: ResourceRun) -> tuple[str, ...]:
    """Return the cells of one resource."""
    stages = " ".join(f"{what} {at:.1f}" for what, at in part.stages)
    asked = f" (asked again {part.waits} times)" if part.waits > 1 else ""
    resource = f"{part.step}/{part.logical_id}" if part.step else part.logical_id
    return (resource, part.type_name, part.action, part.outcome or UNENDED, took(part.seconds), stages + asked)


def _calls(run: Run) -> Iterator[str]:
    """Yield the table of the calls by service."""
    if run.calls:
        yield from ("", *table((_sums(*one) for one in run.calls.items()), _CALLS), "")


def _sums(service: str, calls: CallSummary) -> tuple[str, ...]:
    """Return the cells of one service."""
    counts = (calls.count, calls.retries, calls.refused, calls.throttled)
    return (service, *map(str, counts), f"{calls.seconds:.1f}")
