"""The last runs in the report, and the timeline of the newest."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape

from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Bar, Span, Timeline
from provisioner.errors import amount
from provisioner.terminal.report.sections import colored_status, section
from provisioner.terminal.run import caller_name, describe_counts, format_seconds, start_time

_SUCCESS = "ok"
# Resources that took less than this share of the run are left out, unless they are on the critical path.
_SHORT_SHARE = 0.02


def runs_section(newest_runs: Sequence[Run], last_timeline: Timeline | None) -> str:
    """Return the section about the last runs as HTML.

    Args:
        newest_runs: The runs, the newest first.
        last_timeline: The timeline of the newest run; None for no timeline.

    """
    if not newest_runs:
        return section("Runs", '<p class="pale">No run is recorded.</p>')
    longest = max((run.seconds or 0.0 for run in newest_runs), default=0.0) or 1.0
    items = "".join(_run_item(run, longest) for run in newest_runs)
    return section(
        "Runs", f"<ul>{items}</ul>", _timeline_details(last_timeline) if last_timeline and last_timeline.bars else ""
    )


def _run_item(run: Run, longest: float) -> str:
    """Return one run as HTML; the length of its bar shows its duration."""
    status = "good" if run.result == _SUCCESS else "busy" if run.seconds is None else "bad"
    names = (run.user, caller_name(run.caller))
    started_by = " · ".join(filter(None, names))
    bar = f'<div class="bar {status}"><i style="width:{100 * (run.seconds or 0) / longest:.1f}%"></i></div>'
    message = f'<div class="pale">{escape(run.message)}</div>' if run.message else ""
    return (
        f'<li><div class="row"><span><strong>{escape(run.command)}</strong> {escape(start_time(run))}</span>'
        f"<span>{colored_status(status, run.result)} in {escape(format_seconds(run.seconds))}</span></div>{bar}"
        f'<div class="pale">{escape(describe_counts(run.plan))} · {escape(started_by)}</div>'
        f'<div class="pale"><code>{escape(shlex.join(run.arguments))}</code></div>{message}</li>'
    )


def _timeline_details(timeline: Timeline) -> str:
    """Return the timeline of a run as HTML."""
    shown_bars = [bar for bar in timeline.bars if bar.is_critical or bar.seconds >= _SHORT_SHARE * timeline.seconds]
    rows = "".join(_timeline_row(bar, timeline.seconds or 1.0) for bar in shown_bars)
    hidden = len(timeline.bars) - len(shown_bars)
    verb = "step is" if hidden == 1 else "steps are"
    hidden_note = f" {hidden} short {verb} left out." if hidden else ""
    return (
        f"<details><summary>Step by step: the last {escape(timeline.command)}, {timeline.seconds:.1f} s, "
        f"{amount(timeline.calls, 'call')}</summary>"
        f'<p class="pale small">Bold: the critical path. Dark: at work; light: waiting for AWS.{hidden_note}</p>'
        f'<div class="gantt">{rows}</div></details>'
    )


def _timeline_row(bar: Bar, run_seconds: float) -> str:
    """Return the row of one resource in the timeline as HTML."""
    css_class = " longest" if bar.is_critical else ""
    spans = _span_bar(bar.work, run_seconds, "") + (
        _span_bar(bar.wait, run_seconds, "wait") if bar.wait.seconds else ""
    )
    return (
        f'<div class="row2{css_class}" title="{escape(f"{bar.step}/{bar.logical_id}: {bar.action}, {bar.outcome}")}">'
        f'<span class="name">{escape(bar.logical_id)}</span><span class="track">{spans}</span>'
        f'<span class="n small">{bar.seconds:.1f} s</span></div>'
    )


def _span_bar(span: Span, run_seconds: float, css_class: str) -> str:
    """Return one period in the timeline as HTML."""
    left, width = 100 * span.start / run_seconds, 100 * span.seconds / run_seconds
    return f'<i class="{css_class}" style="left:{left:.2f}%;width:{min(width, 100 - left):.2f}%"></i>'
