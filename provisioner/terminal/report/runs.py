"""The last runs in the report, and the timeline of the newest."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape

from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Bar, Span, Timeline
from provisioner.errors import amount
from provisioner.terminal.report.sections import marked, section
from provisioner.terminal.run import began, name_of, planned, took

_GOOD = "ok"
# Resources that took less than this share of the run are left out, unless they are on the critical path.
_SHORT = 0.02


def runs(past: Sequence[Run], last: Timeline | None) -> str:
    """Return the section about the last runs as HTML.

    Args:
        past: The runs, the newest first.
        last: The timeline of the newest run; None for no timeline.

    """
    if not past:
        return section("Runs", '<p class="pale">No run is recorded.</p>')
    longest = max((run.seconds or 0.0 for run in past), default=0.0) or 1.0
    told = "".join(_run(run, longest) for run in past)
    return section("Runs", f"<ul>{told}</ul>", _steps(last) if last and last.bars else "")


def _run(run: Run, longest: float) -> str:
    """Return one run as HTML; the length of its bar shows its duration."""
    state = "good" if run.result == _GOOD else "busy" if run.seconds is None else "bad"
    names = (run.user, name_of(run.caller))
    who = " · ".join(filter(None, names))
    bar = f'<div class="bar {state}"><i style="width:{100 * (run.seconds or 0) / longest:.1f}%"></i></div>'
    message = f'<div class="pale">{escape(run.message)}</div>' if run.message else ""
    return (
        f'<li><div class="row"><span><strong>{escape(run.command)}</strong> {escape(began(run))}</span>'
        f"<span>{marked(state, run.result)} in {escape(took(run.seconds))}</span></div>{bar}"
        f'<div class="pale">{escape(planned(run.plan))} · {escape(who)}</div>'
        f'<div class="pale"><code>{escape(shlex.join(run.arguments))}</code></div>{message}</li>'
    )


def _steps(last: Timeline) -> str:
    """Return the timeline of a run as HTML."""
    shown = [bar for bar in last.bars if bar.is_critical or bar.seconds >= _SHORT * last.seconds]
    rows = "".join(_step(bar, last.seconds or 1.0) for bar in shown)
    hidden = len(last.bars) - len(shown)
    are = "step is" if hidden == 1 else "steps are"
    short = f" {hidden} short {are} left out." if hidden else ""
    return (
        f"<details><summary>Step by step: the last {escape(last.command)}, {last.seconds:.1f} s, "
        f"{amount(last.calls, 'call')}</summary>"
        f'<p class="pale small">Bold: the longest chain. Dark: at work; light: waiting for AWS.{short}</p>'
        f'<div class="gantt">{rows}</div></details>'
    )


def _step(bar: Bar, whole: float) -> str:
    """Return the row of one resource in the timeline as HTML."""
    longest = " longest" if bar.is_critical else ""
    spans = _span(bar.work, whole, "") + (_span(bar.wait, whole, "wait") if bar.wait.seconds else "")
    return (
        f'<div class="row2{longest}" title="{escape(f"{bar.step}/{bar.logical_id}: {bar.action}, {bar.outcome}")}">'
        f'<span class="name">{escape(bar.logical_id)}</span><span class="track">{spans}</span>'
        f'<span class="n small">{bar.seconds:.1f} s</span></div>'
    )


def _span(span: Span, whole: float, sort: str) -> str:
    """Return one period in the timeline as HTML."""
    left, width = 100 * span.at / whole, 100 * span.seconds / whole
    return f'<i class="{sort}" style="left:{left:.2f}%;width:{min(width, 100 - left):.2f}%"></i>'
