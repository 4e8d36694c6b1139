"""The HTML page of the report: one file without scripts and external files, which fits a phone and paper too."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from provisioner.engine.planning.drift import Drift
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Bar, Timeline
from provisioner.errors import amount
from provisioner.prices.estimate import CostEstimate
from provisioner.terminal.differences import drift_line
from provisioner.terminal.page_templates import render
from provisioner.terminal.report.canvas import NARROW, WIDE
from provisioner.terminal.report.contents import LINE_DISPLAY_STATUSES, ReportContents
from provisioner.terminal.report.diagram_svg import draw_diagram
from provisioner.terminal.run import SUCCESS, caller_name, describe_counts, format_seconds, start_time
from provisioner.terminal.timeline_page import time_axis

_STATUS_LABELS = {
    "good": "Everything is healthy",
    "unknown": "Not known",
    "busy": "In progress",
    "changed": "Changed by hand",
    "bad": "Unhealthy",
}
_DRIFT_LABELS = {
    "altered": "changed",
    "gone": "gone",
    "failed": "failed",
    "unknown": "in a state unknown to this version",
    "extra": "added by hand",
    "held": "managed by others",
}
# A drift of any other category is `changed`.
_DRIFT_DISPLAY_STATUSES = {"gone": "bad", "failed": "bad", "unknown": "unknown", "held": "unknown"}
# Resources that took less than this share of the run are left out, unless they are on the critical path.
_SHORT_SHARE = 0.02


def report_page(contents: ReportContents) -> str:
    """Return the HTML page of the report."""
    return render(
        "report.html",
        title=f"ml-api stack {contents.suffix}",
        contents=contents,
        status_label=_STATUS_LABELS[contents.status],
        drift_count=_describe_drift_count(contents),
        cost_now=contents.cost.totals[0],
        line_statuses=LINE_DISPLAY_STATUSES,
        charges=sorted(contents.cost.before.items(), key=lambda charge: -charge[1].least),
        cost_note=" ".join(_cost_notes(contents.cost)),
        drift_label=_drift_label,
        drift_statuses=_DRIFT_DISPLAY_STATUSES,
        drift_line=drift_line,
        pictures=[draw_diagram(contents.diagram, diagram_format) for diagram_format in (WIDE, NARROW)],
        longest=max((run.seconds or 0.0 for run in contents.runs), default=0.0) or 1.0,
        run_status=_run_status,
        start_time=start_time,
        started_by=_started_by,
        describe_counts=describe_counts,
        shell_line=shlex.join,
        duration=format_seconds,
        timeline=contents.last_timeline,
        bars=_long_bars(contents.last_timeline) if contents.last_timeline else [],
        axis=time_axis(contents.last_timeline.seconds or 1.0) if contents.last_timeline else None,
    )


def _describe_drift_count(contents: ReportContents) -> str:
    """Return the number of differences between AWS and the record as text."""
    if contents.drift is None:
        return "not checked"
    count = sum(drift.category != "held" for drift in contents.drift.drifts)
    return amount(count, "difference") if count else "none"


def _cost_notes(estimate: CostEstimate) -> Iterator[str]:
    """Yield the sentences about what the costs mean, and what they leave out."""
    yield f"List prices of {estimate.region} as of {estimate.as_of}, 730 hours."
    if estimate.by_use:
        yield f"Not counted, as it depends on use: {', '.join(estimate.by_use)}."
    if estimate.unpriced:
        yield f"No price is known for {', '.join(estimate.unpriced)}."


def _drift_label(drift: Drift) -> str:
    """Return in words what happened to a resource that drifted."""
    return ": ".join(filter(None, (_DRIFT_LABELS[drift.category], drift.unmanaged)))


def _run_status(run: Run) -> str:
    """Return the status in whose colour a run is shown."""
    return "good" if run.result == SUCCESS else "unknown" if run.seconds is None else "bad"


def _started_by(run: Run) -> str:
    """Return who started a run: user and machine, then the identity in AWS."""
    return " · ".join(filter(None, (run.user, caller_name(run.caller))))


def _long_bars(timeline: Timeline) -> list[Bar]:
    """Return the bars of the steps that took their share of the run, or that failed."""
    return [
        bar for bar in timeline.bars if bar.is_critical or bar.failed or bar.seconds >= _SHORT_SHARE * timeline.seconds
    ]
