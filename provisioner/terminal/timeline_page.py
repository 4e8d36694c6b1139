"""The timeline of a run as one HTML page, and the time axis of its chart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from provisioner.engine.runs.run import UNENDED
from provisioner.engine.runs.timeline import Timeline
from provisioner.terminal.page_templates import render
from provisioner.terminal.plan import describe_resources
from provisioner.terminal.run import SUCCESS, format_seconds
from state.stack_state import ACCOUNT_WIDE_TYPES

# The seconds between two ticks of an axis, each with the unit of its labels.
_STEPS = (
    *((step, 1, "s") for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)),
    *((60 * step, 60, "min") for step in (1, 2, 5, 10, 15, 30)),
    *((3600 * step, 3600, "h") for step in (1, 2, 4, 8, 24)),
)
_MAX_INTERVALS = 6
# A label that begins behind this share of the axis would lie beyond its end.
_LAST_LABEL = 0.9


@dataclass(frozen=True)
class Tick:
    """A label of a time axis; it begins at this percentage of the axis."""

    percent: float
    label: str


@dataclass(frozen=True)
class TimeAxis:
    """The labels of a time axis, and the percentage between two of them."""

    ticks: Sequence[Tick]
    step_percent: float


def time_axis(run_seconds: float, max_intervals: int = _MAX_INTERVALS) -> TimeAxis:
    """Return the axis of a run of so many seconds, with ticks at round times."""
    fitting = (step for step in _STEPS if run_seconds <= step[0] * max_intervals)
    step, unit_seconds, unit = next(fitting, (run_seconds / max_intervals, 3600, "h"))
    times = [step * number for number in range(max_intervals + 1) if step * number <= _LAST_LABEL * run_seconds]
    ticks = [Tick(100 * at / run_seconds, f"{at / unit_seconds:.4g} {unit}") for at in times]
    return TimeAxis(ticks, 100 * step / run_seconds)


def timeline_page(timeline: Timeline) -> str:
    """Return the timeline of a run as an HTML page."""
    run_seconds = timeline.seconds or 1.0
    return render(
        "timeline.html",
        title=f"{timeline.command} of {timeline.suffix}",
        timeline=timeline,
        resources=count_resources(timeline),
        started_at=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(timeline.start)),
        status="good" if timeline.result == SUCCESS else "unknown" if timeline.result == UNENDED else "bad",
        result=timeline.result,
        axis=time_axis(run_seconds),
        run_seconds=run_seconds,
        duration=format_seconds,
        calls=_calls_by_operation(timeline),
    )


def count_resources(timeline: Timeline) -> str:
    """Return how many resources the run worked on, with the account's own roles apart."""
    roles = sum(bar.type_name in ACCOUNT_WIDE_TYPES for bar in timeline.bars)
    return describe_resources(len(timeline.bars) - roles, roles)


def _calls_by_operation(timeline: Timeline) -> list[tuple[str, int]]:
    """Return the operations with the number of their calls, the most frequent first."""
    spans = [*timeline.other_calls, *(call for bar in timeline.bars for call in bar.calls)]
    return Counter(span.label for span in spans).most_common()
