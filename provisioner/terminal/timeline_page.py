"""The timeline of a run as one HTML page in a light and a dark colour scheme, without external files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from html import escape

from provisioner.engine.runs.timeline import Bar, Span, Timeline
from provisioner.errors import amount

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --pale: #6b7280; --line: #e5e7eb;
  --work: #2563eb; --wait: #bfdbfe; --critical: #d97706; --critical-wait: #fde68a; --error: #dc2626; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171c; --ink: #e6e8eb; --pale: #9aa3af;
  --line: #2a2f37; --work: #60a5fa; --wait: #1e3a5f; --critical: #fbbf24; --critical-wait: #5b430f;
  --error: #f87171; } }
body { background: var(--ground); color: var(--ink); font: 14px/1.4 system-ui, sans-serif; margin: 2rem; }
h1 { font-size: 1.2rem; margin: 0 0 .2rem } p { color: var(--pale); margin: 0 0 1rem }
dl { display: flex; gap: 2rem; margin: 0 0 1.2rem } dt { color: var(--pale) }
dd { margin: 0; font-size: 1.4rem }
.row { display: grid; grid-template-columns: 15rem 1fr 5rem; align-items: center; height: 1.25rem }
.row:hover { background: var(--line) } .row.critical .name { color: var(--critical); font-weight: 600 }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.time { text-align: right; color: var(--pale); font-variant-numeric: tabular-nums }
.track { position: relative; height: 100%; border-left: 1px solid var(--line) }
.track i { position: absolute; top: 22%; height: 56%; min-width: 2px; border-radius: 2px }
.work { background: var(--work) } .wait { background: var(--wait) }
.critical .work { background: var(--critical) } .critical .wait { background: var(--critical-wait) }
.track i.call { top: 82%; height: 14%; min-width: 1px; background: var(--pale) }
.track i.error { background: var(--error) }
.axis { color: var(--pale); font-size: .8rem } .axis .track span { position: absolute }
table { border-collapse: collapse; margin-top: 1.5rem }
td, th { padding: .1rem 1.2rem .1rem 0; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums } caption { text-align: left; font-weight: 600 }
"""
_TICK_COUNT = 8


def timeline_page(timeline: Timeline) -> str:
    """Return the timeline of a run as an HTML page."""
    title = f"{timeline.command} of {timeline.suffix}"
    started_at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(timeline.start))
    rows = "\n".join(_bar_row(bar, timeline.seconds) for bar in timeline.bars)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1><p>{started_at}, {escape(timeline.result)}</p>
<dl>{"".join(_key_figures(timeline))}</dl>
<div class="row axis"><span></span><span class="track">{"".join(_axis_labels(timeline.seconds))}</span></div>
<main>
{rows}
</main>
{_table("Critical path", ("step", "seconds"), [(logical_id, f"{s:.1f}") for logical_id, s in timeline.critical_path])}
{_table("Calls", ("operation", "calls"), [(name, str(n)) for name, n in _calls_by_operation(timeline)])}
</body></html>
"""


def _key_figures(timeline: Timeline) -> Iterator[str]:
    """Return the key figures of a run as HTML."""
    figures = {
        "took": f"{timeline.seconds:.1f} s",
        "critical path": f"{timeline.critical_seconds:.1f} s",
        "efficiency": f"{timeline.efficiency:.2f}",
        "steps": str(len(timeline.bars)),
        "calls": str(timeline.calls),
    }
    return (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures.items())


def _axis_labels(seconds: float) -> Iterator[str]:
    """Yield the labels of the time axis as HTML."""
    for tick in range(_TICK_COUNT):
        yield f'<span style="left:{100 * tick / _TICK_COUNT:.2f}%">{seconds * tick / _TICK_COUNT:.1f} s</span>'


def _bar_row(bar: Bar, run_seconds: float) -> str:
    """Return the row of one resource as HTML: its bar with work, wait and calls."""
    parts = [_bar_part("work", bar.work, run_seconds, f"{bar.action}, {bar.work.seconds:.1f} s")]
    if bar.wait.seconds:
        parts.append(_bar_part("wait", bar.wait, run_seconds, f"waits, {bar.wait.seconds:.1f} s"))
    for call in bar.calls:
        tooltip = f"{call.label} {call.seconds:.2f} s {call.detail}".rstrip()
        parts.append(_bar_part("call error" if call.detail else "call", call, run_seconds, tooltip))
    critical = " critical" if bar.is_critical else ""
    retries = amount(len(bar.attempts), "time")
    title = f"{bar.step}/{bar.logical_id}: {bar.type_name}, {bar.action}, {bar.outcome}; retried {retries}"
    return (
        f'<div class="row{critical}" title="{escape(title)}"><span class="name">{escape(bar.logical_id)}</span>'
        f'<span class="track">{"".join(parts)}</span><span class="time">{bar.seconds:.1f} s</span></div>'
    )


def _bar_part(css_class: str, span: Span, run_seconds: float, tooltip: str) -> str:
    """Return a part of a bar as HTML.

    Args:
        css_class: Its CSS class.
        span: Its start and length.
        run_seconds: The seconds of the whole run.
        tooltip: Its tooltip.

    """
    left, width = 100 * span.start / (run_seconds or 1), 100 * span.seconds / (run_seconds or 1)
    style = f"left:{left:.3f}%;width:{width:.3f}%"
    return f'<i class="{css_class}" style="{style}" title="{escape(tooltip)}"></i>'


def _table(caption: str, headings: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    """Return a table of two columns as HTML."""
    table_rows = "".join(f'<tr><td>{escape(name)}</td><td class="n">{escape(value)}</td></tr>' for name, value in rows)
    return (
        f"<table><caption>{caption}</caption><tr><th>{headings[0]}</th><th>{headings[1]}</th></tr>{table_rows}</table>"
    )


def _calls_by_operation(timeline: Timeline) -> list[tuple[str, int]]:
    """Return the operations with the number of their calls, the most frequent first."""
    spans = [*timeline.other_calls, *(call for bar in timeline.bars for call in bar.calls)]
    return Counter(span.label for span in spans).most_common()
