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
from provisioner.terminal.clean import sanitize
from provisioner.terminal.console import Console

if TYPE_CHECKING:
    from rich.tree import Tree

_REFRESH = 8.0
_QUIET = 30.0
_DONE = ("ready", "gone", "kept")
# Events whose detail is printed as it is.
_SAID = ("asking", "note")
# The seconds of a run below which a bar would only flicker; the width of the bar, and of the words after it.
_WORTH_A_BAR, _WIDTH, _WORDS = 3.0, 40, 26
# `CreateX answered SomeCode: why (request ...)`: only the why is shown, as a wait is no error.
_ANSWERED = re.compile(r"^\w+ answered \w[\w.]*: (.*?)(?: \(request [^)]*\))?$", re.DOTALL)


@dataclass
class Step:
    """The progress of one resource: action, detail, and how it ended.

    `since` is the monotonic second at which the action began.
    """

    piece: str
    doing: str = ""
    detail: str = ""
    since: float = 0.0
    end: str = ""


@dataclass
class Board:
    """The progress of all resources of a run; the threads of the run write it, and the screen reads it.

    `pieces` maps each logical id to the step that declares it.
    """

    pieces: Mapping[str, str]
    outlook: ProgressEstimate
    steps: dict[str, Step] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
    columns: int = 80

    def hear(self, event: Event) -> None:
        """Record one event."""
        self.outlook.hear(event)
        with self.guard:
            step = self.steps.setdefault(event.logical_id, Step(self.pieces.get(event.logical_id, "")))
            if event.what == "starting":
                step.doing, step.since = event.action, time.monotonic()
            elif event.what == "retrying":
                step.detail = f"waits: {plainly(event.detail)}"
            elif event.what in ("exists", "waiting"):
                step.detail = ""
            elif event.what in ENDS:
                step.end = event.what

    def tree(self) -> Tree:
        """Return the tree of the steps, with the resources that are being worked on below each."""
        from rich.tree import Tree  # noqa: PLC0415 - only a terminal pays for it

        root = Tree("", hide_root=True)
        with self.guard:
            for step in dict.fromkeys(self.pieces.values()):
                names = [name for name, of in self.pieces.items() if of == step]
                ended = sum(self._ended(name) for name in names)
                mark = "[green]✓[/]" if ended == len(names) else "[yellow]•[/]" if ended else " "
                branch = root.add(f"{mark} {step} [dim]{ended}/{len(names)}[/]")
                for name in names:
                    if line := self._line(name):
                        branch.add(line)
        root.add(self._bar())
        return root

    def _bar(self) -> str:
        """Return the progress bar: the share of the critical path that is done, and the seconds left.

        It is "" for a short run, and once all resources are done.
        """
        whole, left = self.outlook.total_seconds(), self.outlook.seconds_left()
        if whole < _WORTH_A_BAR or all(self._ended(name) for name in self.pieces):
            return ""
        width = min(_WIDTH, max(self.columns - _WORDS, 0))
        share = min(max(1 - left / whole, 0.0), 1.0)
        done = round(width * share)
        told = f"about {left:.0f} s left" if left >= 1 else "any moment now"
        return f"[green]{'━' * done}[/][dim]{'━' * (width - done)}[/] {share:.0%}, {told}"

    def _ended(self, name: str) -> bool:
        """Return whether the work on a resource ended well."""
        step = self.steps.get(name)
        return bool(step and step.end in _DONE)

    def _line(self, name: str) -> str:
        """Return the line of a resource; "" if the work on it has not begun or has ended well."""
        step = self.steps.get(name)
        if step is None or step.end in _DONE:
            return ""
        if step.end == "failed":
            return f"[red]✗ {name}[/]"
        if step.end == "stopped":
            return f"[yellow]‖ {name}[/] [dim]stopped; the same command goes on with it[/]"
        elapsed = time.monotonic() - step.since if step.since else 0.0
        usual = self.outlook.typical_seconds(name)
        of = f" of about {usual:.0f} s" if usual >= 1 else " s"
        tail = f" [dim]{escape(step.detail[:70])}[/]" if step.detail else ""
        return f"{name} {step.doing} {elapsed:.0f}{of}{tail}"


def plainly(detail: str) -> str:
    """Return the reason why a call is retried in AWS's words, without operation, code and request id."""
    found = _ANSWERED.match(detail)
    return (found[1] or detail) if found else detail


def escape(text: str) -> str:
    """Return the text with the brackets escaped that rich would read as markup."""
    return text.replace("[", "\\[")


@contextmanager
def progress(console: Console, pieces: Mapping[str, str], estimate: ProgressEstimate) -> Iterator[Listener]:
    """Yield the listener that prints the progress of a run.

    Args:
        console: The console.
        pieces: The step of each resource, by logical id.
        estimate: The estimate of the run's time.

    """
    if console.as_json:
        yield lambda event: _record(console, event)
    elif console.is_terminal and not console.quiet:
        with _live(Board(pieces, estimate), color=console.color) as listener:
            yield listener
    else:
        yield _Plain(console).hear


def _record(console: Console, event: Event) -> None:
    """Print one event as a JSON line."""
    console.record(
        "event",
        what=event.what,
        node=event.logical_id,
        verb=event.action,
        detail=event.detail,
        seconds=round(event.seconds, 3),
        id=event.id,
    )


@contextmanager
def _live(board: Board, *, color: bool) -> Iterator[Listener]:
    """Show the board as a tree that is redrawn until the context ends; yield the listener."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True, no_color=not color)
    board.columns = console.width
    with Live(console=console, refresh_per_second=_REFRESH, get_renderable=board.tree, transient=False):

        def hear(event: Event) -> None:
            event = replace(event, detail=sanitize(event.detail), id=sanitize(event.id))
            board.hear(event)
            if event.what in _SAID:
                console.print(event.detail, markup=False, highlight=False, soft_wrap=True)

        yield hear


class _Plain:
    """A listener that prints a line for each finished resource, and every half minute one for a long wait."""

    def __init__(self, console: Console) -> None:
        self._say = console
        self._told: dict[str, float] = {}

    def hear(self, event: Event) -> None:
        """Print the line for an event, if it has one."""
        now = time.monotonic()
        if event.what in _DONE and event.action != "keep":
            done = f"{event.what} ({event.detail})" if event.detail else event.what
            self._say.note(f"{event.logical_id}: {done} after {event.seconds:.1f} s  {event.id}".rstrip())
        elif event.what == "failed":
            self._say.note(f"{event.logical_id}: failed: {event.detail}")
        elif event.what == "stopped":
            self._say.note(f"{event.logical_id}: stopped; the same command goes on with it")
        elif event.what in _SAID:
            self._say.note(event.detail)
        elif event.what == "retrying" and now - self._told.get(event.logical_id, 0.0) > _QUIET:
            self._told[event.logical_id] = now
            self._say.note(f"{event.logical_id}: {event.action} waits: {plainly(event.detail)}")
