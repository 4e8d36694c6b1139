"""Output of the timeline of a run as text, as JSON, and as Chrome's trace events."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.engine.runs.timeline import Bar, Span, Timeline
from provisioner.errors import amount
from provisioner.terminal.console import Console
from provisioner.terminal.fitting import shorten, terminal_width
from provisioner.terminal.timeline_page import count_resources, time_axis
from state.serialization import as_json

# The columns of a bar without a terminal; on one, all that mark, name and times leave.
_BAR_WIDTH = 48
_FIXED_WIDTH, _MIN_WIDTH = 25, 10
# The characters from one label of the time axis to the next, at the least.
_TICK_WIDTH = 9
_LEGEND = "= at work   - waiting for AWS   * on the critical path   x failed or did not end"
_MICROSECONDS = 1_000_000
_RESOURCE_PROCESS, _CALL_PROCESS = 1, 2


def show_timeline(console: Console, timeline: Timeline) -> None:
    """Print a line for each resource: `=` while it is worked on, `-` while it is waited for.

    A star marks the resources on the critical path, and a cross those that failed or did not end.
    """
    if console.as_json:
        console.record("timeline", **timeline_json(timeline))
        return
    name_width = max(len("resource"), *(len(bar.logical_id) for bar in timeline.bars), 0)
    bar_width = _BAR_WIDTH
    if (width := terminal_width(sys.stdout)) is not None:
        name_width = min(name_width, max(width * 2 // 5, _MIN_WIDTH))
        bar_width = max(width - name_width - _FIXED_WIDTH, _MIN_WIDTH)
    if timeline.bars:
        console.data(f"  {'resource':{name_width}}    start      took  |{_axis_text(timeline, bar_width)}|")
    for bar in timeline.bars:
        console.data(_bar_line(console, bar, timeline, name_width, bar_width))
    if timeline.bars:
        console.text(_LEGEND)
    for line in timeline_summary(timeline).splitlines():
        console.text(line)


def _bar_line(console: Console, bar: Bar, timeline: Timeline, name_width: int, bar_width: int) -> str:
    """Return the line of one resource, in the colour of its outcome."""
    mark, color = ("x", "red") if bar.failed else ("*", "yellow") if bar.is_critical else (" ", "")
    name = shorten(bar.logical_id, name_width).ljust(name_width)
    times = f"{bar.start:7.1f} {bar.seconds:7.1f} s"
    return console.paint(f"{mark} {name}  {times}  |{_bar_text(bar, timeline, bar_width)}|", color, sys.stdout)


def _axis_text(timeline: Timeline, width: int) -> str:
    """Return the labels of the time axis as text of so many characters, each where its time is."""
    text = ""
    for tick in time_axis(timeline.seconds or 1.0, max(width // _TICK_WIDTH, 1)).ticks:
        text = text.ljust(int(tick.percent * width / 100)) + tick.label
    return text.ljust(width)[:width]


def timeline_summary(timeline: Timeline) -> str:
    """Return the summary of the run: duration, calls, and the critical path."""
    run_text = f"{timeline.command} of {timeline.suffix} ({timeline.result}): {timeline.seconds:.1f} s"
    if not timeline.bars:
        return f"{run_text}, {amount(timeline.calls, 'call')}, nothing to do."
    chain = " > ".join(f"{logical_id} {seconds:.1f}" for logical_id, seconds in timeline.critical_path)
    return (
        f"{run_text}, {count_resources(timeline)}, {amount(timeline.calls, 'call')}.\n"
        f"Critical path {timeline.critical_seconds:.1f} s, {timeline.efficiency:.0%} of the run: {chain}."
    )


def _bar_text(bar: Bar, timeline: Timeline, width: int) -> str:
    """Return the bar of one resource as text of so many characters for the whole run."""
    scale = width / (timeline.seconds or 1)
    cells = [" "] * width
    for span, sign in ((bar.wait, "-"), (bar.work, "=")):
        first = min(int(span.start * scale), width - 1)
        last = min(int((span.start + span.seconds) * scale), width - 1)
        if span.seconds or sign == "=":
            cells[first : last + 1] = sign * (last - first + 1)
    return "".join(cells)


def timeline_json(timeline: Timeline) -> dict[str, Any]:
    """Return the timeline for the JSON output."""
    document = as_json(timeline)
    return {**document, "critical": round(timeline.critical_seconds, 3), "efficiency": round(timeline.efficiency, 3)}


def chrome_trace(timeline: Timeline) -> dict[str, Any]:
    """Return the timeline as trace events for chrome://tracing and Perfetto: resources above, calls below."""
    events: list[dict[str, Any]] = [_name_event("process_name", _RESOURCE_PROCESS, 0, "steps")]
    events.append(_name_event("process_name", _CALL_PROCESS, 0, "calls"))
    for row, bar in enumerate(timeline.bars, 1):
        row_name = f"* {bar.logical_id}" if bar.is_critical else bar.logical_id
        whole = Span(bar.start, bar.seconds, f"{bar.action} {bar.logical_id}")
        arguments = {"kind": bar.type_name, "piece": bar.step, "end": bar.outcome, "critical": bar.is_critical}
        events.append(_name_event("thread_name", _RESOURCE_PROCESS, row, row_name))
        events.append(_span_event(whole, _RESOURCE_PROCESS, row, arguments))
        parts = [span for span in (bar.work, bar.wait) if span.seconds]
        events += [_span_event(span, _RESOURCE_PROCESS, row, {}) for span in parts]
    spans = [(bar.logical_id, span) for bar in timeline.bars for span in bar.calls]
    spans += [("", span) for span in timeline.other_calls]
    for lane, logical_id, span in _lanes(spans):
        events.append(_span_event(span, _CALL_PROCESS, lane, {"node": logical_id, "error": span.detail}))
    return {"displayTimeUnit": "ms", "traceEvents": events}


def _name_event(event_name: str, process: int, thread: int, name: str) -> dict[str, Any]:
    """Return the event that names a process or thread of a trace."""
    return {"ph": "M", "name": event_name, "pid": process, "tid": thread, "args": {"name": name}}


def _span_event(span: Span, process: int, thread: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the event of one period in a trace."""
    start, length = round(span.start * _MICROSECONDS), round(span.seconds * _MICROSECONDS)
    return {
        "ph": "X", "name": span.label, "pid": process, "tid": thread, "ts": start, "dur": length, "args": arguments
    }  # fmt: skip


def _lanes(spans: Iterable[tuple[str, Span]]) -> Iterator[tuple[int, str, Span]]:
    """Yield each call with its resource and its lane: the first that is free when the call begins."""
    lane_ends: list[float] = []
    for logical_id, span in sorted(spans, key=lambda call: call[1].start):
        lane = next((lane_number for lane_number, end in enumerate(lane_ends) if end <= span.start), len(lane_ends))
        lane_ends[lane : lane + 1] = [span.start + span.seconds]
        yield lane + 1, logical_id, span
