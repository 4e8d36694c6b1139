"""Progress on stderr: a live tree on a terminal, else a line for each finished resource, or JSON lines."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from provisioner.engine.estimates.time_estimate import ProgressEstimate
from provisioner.engine.execution.events import ENDS, Event, Listener
from provisioner.terminal.console import Console, sanitize
from provisioner.terminal.debug_log import is_logging_to_stderr
from provisioner.terminal.fitting import fit_line, shorten_end

if TYPE_CHECKING:
    from rich.tree import Tree

_REFRESHES_PER_SECOND = 8.0
_SECONDS_BETWEEN_WAIT_LINES = 30.0
_SUCCESSFUL_ENDS = ("ready", "gone", "kept")
# Events whose detail is printed as it is.
_MESSAGE_EVENTS = ("asking", "note")
# The seconds of a run below which a bar would only flicker; the width of the bar, and of the words after it.
_MIN_SECONDS_FOR_BAR, _MAX_BAR_WIDTH, _BAR_TEXT_WIDTH = 3.0, 40, 26
# The columns of a branch of the tree and a blank; those below which a detail is left out.
_BRANCH_WIDTH, _MIN_DETAIL_WIDTH = 5, 20
# `CreateX answered SomeCode: why (request ...)`: only the why is shown, as a wait is no error.
_REFUSED_CALL = re.compile(r"^\w+ answered \w[\w.]*: (.*?)(?: \(request [^)]*\))?$", re.DOTALL)


@dataclass
class ResourceProgress:
    """The progress of one resource: action, detail, and how it ended.

    `started_at` is the monotonic second at which the action began.
    """

    step: str
    action: str = ""
    detail: str = ""
    started_at: float = 0.0
    outcome: str = ""


@dataclass
class ProgressBoard:
    """The progress of all resources of a run; the threads of the run write it, and the screen reads it.

    `step_names` maps each logical id to the step that declares it.
    """

    step_names: Mapping[str, str]
    estimate: ProgressEstimate
    resources: dict[str, ResourceProgress] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    columns: int = 80

    def record_event(self, event: Event) -> None:
        """Record one event."""
        with self.lock:
            resource = self.resources.setdefault(
                event.logical_id, ResourceProgress(self.step_names.get(event.logical_id, ""))
            )
            if event.type == "starting":
                resource.action, resource.started_at = event.action, time.monotonic()
            elif event.type == "retrying":
                resource.detail = f"waits: {retry_reason(event.detail)}"
            elif event.type in ("exists", "waiting"):
                resource.detail = ""
            elif event.type in ENDS:
                resource.outcome = event.type

    def tree(self) -> Tree:
        """Return the tree of the steps, with the resources that are being worked on below each."""
        from rich.tree import Tree  # noqa: PLC0415 - only a terminal pays for it

        root = Tree("", hide_root=True)
        with self.lock:
            for step in dict.fromkeys(self.step_names.values()):
                names = [name for name, step_of_resource in self.step_names.items() if step_of_resource == step]
                done_count = sum(self._is_done(name) for name in names)
                mark = "[green]✓[/]" if done_count == len(names) else "[yellow]•[/]" if done_count else " "
                branch = root.add(f"{mark} {step} [dim]{done_count}/{len(names)}[/]")
                for name in names:
                    if line := self._resource_line(name):
                        branch.add(line)
        root.add(self.progress_bar())
        return root

    def progress_bar(self) -> str:
        """Return the progress bar: the share of the critical path that is done, and the seconds left.

        It is "" for a short run, and once all resources are done.
        """
        total, seconds_left = self.estimate.total_seconds(), self.estimate.seconds_left()
        if total < _MIN_SECONDS_FOR_BAR or all(self._is_done(name) for name in self.step_names):
            return ""
        width = min(_MAX_BAR_WIDTH, max(self.columns - _BAR_TEXT_WIDTH, 0))
        done_share = min(max(1 - seconds_left / total, 0.0), 1.0)
        filled = round(width * done_share)
        remaining = f"about {seconds_left:.0f} s left" if seconds_left >= 1 else "any moment now"
        return f"[green]{'━' * filled}[/][dim]{'━' * (width - filled)}[/] {done_share:.0%}, {remaining}"

    def _is_done(self, name: str) -> bool:
        """Return whether the work on a resource ended well."""
        resource = self.resources.get(name)
        return bool(resource and resource.outcome in _SUCCESSFUL_ENDS)

    def _resource_line(self, name: str) -> str:
        """Return the line of a resource; "" if the work on it has not begun or has ended well."""
        resource = self.resources.get(name)
        if resource is None or resource.outcome in _SUCCESSFUL_ENDS:
            return ""
        if resource.outcome == "failed":
            return f"[red]✗ {name}[/]"
        if resource.outcome == "stopped":
            return f"[yellow]‖ {name}[/] [dim]stopped; the same command goes on with it[/]"
        elapsed = time.monotonic() - resource.started_at if resource.started_at else 0.0
        typical = self.estimate.typical_seconds(name)
        typical_text = f" of about {typical:.0f} s" if typical >= 1 else " s"
        line = " ".join(filter(None, (name, resource.action, f"{elapsed:.0f}{typical_text}")))
        room = self.columns - _BRANCH_WIDTH - len(line)
        if not resource.detail or room < _MIN_DETAIL_WIDTH:
            return line
        return f"{line} [dim]{escape_markup(shorten_end(resource.detail, room))}[/]"


def retry_reason(detail: str) -> str:
    """Return the reason why a call is retried in AWS's words, without operation, code and request id."""
    match = _REFUSED_CALL.match(detail)
    return (match[1] or detail) if match else detail


def escape_markup(text: str) -> str:
    """Return the text with the brackets escaped that rich would read as markup."""
    return text.replace("[", "\\[")


@contextmanager
def show_progress(console: Console, step_names: Mapping[str, str], estimate: ProgressEstimate) -> Iterator[Listener]:
    """Yield the listener that prints the progress of a run.

    Args:
        console: The console.
        step_names: The step of each resource, by logical id.
        estimate: The estimate of the run's time.

    """
    if console.as_json:
        yield lambda event: _print_json(console, event)
    elif console.is_terminal and not console.quiet and not is_logging_to_stderr():
        with _live_tree(ProgressBoard(step_names, estimate), color=console.color) as listener:
            yield listener
    else:
        yield _LinePrinter(console).print_event


def _print_json(console: Console, event: Event) -> None:
    """Print one event as a JSON line."""
    console.record(
        "event",
        what=event.type,
        node=event.logical_id,
        verb=event.action,
        detail=event.detail,
        seconds=round(event.seconds, 3),
        id=event.id,
    )


@contextmanager
def _live_tree(board: ProgressBoard, *, color: bool) -> Iterator[Listener]:
    """Show the board as a tree that is redrawn until the context ends; yield the listener."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True, no_color=not color)
    board.columns = console.width
    with Live(console=console, refresh_per_second=_REFRESHES_PER_SECOND, get_renderable=board.tree, transient=False):

        def hear(event: Event) -> None:
            event = replace(event, detail=sanitize(event.detail), id=sanitize(event.id))
            board.record_event(event)
            if event.type in _MESSAGE_EVENTS:
                console.print(fit_line(event.detail, console.width), markup=False, highlight=False, soft_wrap=True)

        yield hear


class _LinePrinter:
    """A listener that prints a line for each finished resource, and every half minute one for a long wait."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last_wait_line: dict[str, float] = {}

    def print_event(self, event: Event) -> None:
        """Print the line for an event, if it has one."""
        now = time.monotonic()
        if event.type in _SUCCESSFUL_ENDS and event.action != "keep":
            outcome = f"{event.type} ({event.detail})" if event.detail else event.type
            self._console.note(f"{event.logical_id}: {outcome} after {event.seconds:.1f} s  {event.id}".rstrip())
        elif event.type == "failed":
            self._console.note(f"{event.logical_id}: failed: {event.detail}")
        elif event.type == "stopped":
            self._console.note(f"{event.logical_id}: stopped; the same command goes on with it")
        elif event.type in _MESSAGE_EVENTS:
            self._console.note(event.detail)
        elif (
            event.type == "retrying"
            and now - self._last_wait_line.get(event.logical_id, 0.0) > _SECONDS_BETWEEN_WAIT_LINES
        ):
            self._last_wait_line[event.logical_id] = now
            self._console.note(f"{event.logical_id}: {event.action} waits: {retry_reason(event.detail)}")
