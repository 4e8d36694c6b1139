"""Output of the timeline of a run as text, as JSON, and as Chrome's trace events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.engine.runs.timeline import Bar, Span, Timeline
from provisioner.errors import amount
from provisioner.terminal.console import Console
from state.serialization import as_json

_WIDTH = 48
_MICRO = 1_000_000
_STEPS, _CALLS = 1, 2


def show_timeline(console: Console, timeline: Timeline) -> None:
    """Print a line for each resource: `=` while it is worked on, `-` while it is waited for.

    A star marks the resources on the critical path.
    """
    if console.as_json:
        console.record("timeline", **as_doc(timeline))
        return
    widest = max((len(bar.logical_id) for bar in timeline.bars), default=0)
    for bar in timeline.bars:
        mark = "*" if bar.is_critical else " "
        line = f"{mark} {bar.logical_id.ljust(widest)}  {bar.at:7.1f} {bar.seconds:7.1f} s  |{_drawn(bar, timeline)}|"
        console.data(console.paint(line, "yellow" if bar.is_critical else ""))
    console.data(summary(timeline))


def summary(timeline: Timeline) -> str:
    """Return the summary of the run: duration, calls, and the critical path."""
    head = f"{timeline.command} of {timeline.suffix} ({timeline.result}): {timeline.seconds:.1f} s"
    if not timeline.bars:
        return f"{head}, {amount(timeline.calls, 'call')}, nothing was to be done."
    chain = " > ".join(f"{logical_id} {seconds:.1f} s" for logical_id, seconds in timeline.critical_path)
    return (
        f"{head}, {amount(len(timeline.bars), 'step')}, {amount(timeline.calls, 'call')}.\n"
        f"Critical path {timeline.critical:.1f} s ({chain}), efficiency {timeline.efficiency:.2f}."
    )


def _drawn(bar: Bar, timeline: Timeline) -> str:
    """Return the bar of one resource as text."""
    scale = _WIDTH / (timeline.seconds or 1)
    cells = [" "] * _WIDTH
    for span, sign in ((bar.wait, "-"), (bar.work, "=")):
        first = min(int(span.at * scale), _WIDTH - 1)
        last = min(int((span.at + span.seconds) * scale), _WIDTH - 1)
        if span.seconds or sign == "=":
            cells[first : last + 1] = sign * (last - first + 1)
    return "".join(cells)


def as_doc(timeline: Timeline) -> dict[str, Any]:
    """Return the timeline for the JSON output."""
    told = as_json(timeline)
    return {**told, "critical": round(timeline.critical, 3), "efficiency": round(timeline.efficiency, 3)}


def trace(timeline: Timeline) -> dict[str, Any]:
    """Return the timeline as trace events for chrome://tracing and Perfetto: resources above, calls below."""
    events: list[dict[str, Any]] = [_named("process_name", _STEPS, 0, "steps")]
    events.append(_named("process_name", _CALLS, 0, "calls"))
    for row, bar in enumerate(timeline.bars, 1):
        events.append(_named("thread_name", _STEPS, row, f"{'* ' if bar.is_critical else ''}{bar.logical_id}"))
        about = {"kind": bar.type_name, "piece": bar.step, "end": bar.outcome, "critical": bar.is_critical}
        events.append(_event(Span(bar.at, bar.seconds, f"{bar.action} {bar.logical_id}"), _STEPS, row, about))
        parts = [span for span in (bar.work, bar.wait) if span.seconds]
        events += [_event(span, _STEPS, row, {}) for span in parts]
    spans = [(bar.logical_id, span) for bar in timeline.bars for span in bar.calls]
    spans += [("", span) for span in timeline.other_calls]
    for lane, logical_id, span in _lanes(spans):
        events.append(_event(span, _CALLS, lane, {"node": logical_id, "error": span.about}))
    return {"displayTimeUnit": "ms", "traceEvents": events}


def _named(what: str, process: int, thread: int, name: str) -> dict[str, Any]:
    """Return the event that names a process or thread of a trace."""
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def _event(span: Span, process: int, thread: int, about: dict[str, Any]) -> dict[str, Any]:
    """Return the event of one period in a trace."""
    at, length = round(span.at * _MICRO), round(span.seconds * _MICRO)
    return {
        "ph": "X", "name": span.what, "pid": process, "tid": thread, "ts": at, "dur": length, "args": about
    }  # fmt: skip


def _lanes(spans: Iterable[tuple[str, Span]]) -> Iterator[tuple[int, str, Span]]:
    """Yield each call with its resource and its lane: the first that is free when the call begins."""
    free: list[float] = []
    for logical_id, span in sorted(spans, key=lambda one: one[1].at):
        lane = next((at for at, end in enumerate(free) if end <= span.at), len(free))
        free[lane : lane + 1] = [span.at + span.seconds]
        yield lane + 1, logical_id, span
