"""The benchmarks at a tenth of AWS's speed: how close a run comes to its critical path."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.path import _READY, of_apply, of_teardown, told
from benchmarks.place import place
from benchmarks.rows import Row, at_most

PACE = 0.1
_SLACK, _PROCESS = 1.05, 2.0
# The allowed lateness of a wait after the status has changed: in seconds, or if that is more, as a share of
# the wait.
_LATE, _LATE_SHARE = 0.5, 0.02
_ALL_READY = "benchmarks/all_ready.py"


def rows(runs: int) -> Iterator[Row]:
    """Yield the rows about apply, teardown and waits, then about both commands with all edges ready."""
    ups, downs, late = _measured(runs)
    slow_ups, slow_downs, _ = _measured(1, script=_ALL_READY)
    up, down = of_apply(), of_teardown()
    limit = _SLACK * up.seconds * PACE + _PROCESS
    yield at_most(f"`apply` at speed {PACE}", ups, limit, beside=f"critical path {told(up, PACE)}")
    limit = _SLACK * down.seconds * PACE + _PROCESS
    yield at_most(f"`teardown` at speed {PACE}", downs, limit, beside=f"critical path {told(down, PACE)}")
    other = told(of_apply(all_ready=True), PACE)
    yield Row("`apply`, all edges ready", f"{median(slow_ups):.2f} s", "", is_met=True, beside=other)
    other = told(of_teardown(all_ready=True), PACE)
    yield Row("`teardown`, all edges ready", f"{median(slow_downs):.2f} s", "", is_met=True, beside=other)
    yield at_most("polling: the latest a wait ended", [100 * max(late)], 100.0, "% of what is allowed")


def _measured(runs: int, script: str = "cli.py") -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of the applies and of the teardowns, and the lateness of each wait.

    The lateness is a share of the allowed lateness.
    """
    ups, downs, late = list[float](), list[float](), list[float]()
    with place(PACE) as here:
        for _ in range(runs):
            ups.append(here.on("apply", "slow", "--yes", script=script).seconds)
            late += _lateness(here.record("slow"))
            downs.append(here.on("teardown", "slow", "--yes", script=script).seconds)
    return ups, downs, late


def _lateness(record: dict[str, Any]) -> Iterator[float]:
    """Yield the lateness of each wait in a run record, as a share of the allowed lateness."""
    for step in record["nodes"].values():
        at = {what: when for when, what, *_ in step["moments"]}
        takes = _READY.get(step["kind"], 0.0) * PACE
        if takes and {"exists", "ready"} <= at.keys():
            waited = at["ready"] - at["exists"]
            yield (waited - takes) / max(_LATE, _LATE_SHARE * takes)
