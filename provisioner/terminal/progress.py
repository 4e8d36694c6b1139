"""Progress on stderr: a live tree on a terminal, a line per finished step elsewhere, JSON lines on demand."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from provisioner.engine.events import ENDS, Event, Listener
from provisioner.engine.outlook import Outlook
from provisioner.terminal.clean import clean
from provisioner.terminal.say import Say

if TYPE_CHECKING:
    from rich.tree import Tree

_REFRESH = 8.0
_QUIET = 30.0
_DONE = ("ready", "gone", "kept")
# What is said as it stands.
_SAID = ("asking", "note")
# Seconds of a run below which a bar would only flicker; the bar's cells, and those of the words after it.
_WORTH_A_BAR, _WIDTH, _WORDS = 3.0, 40, 26
# `CreateX answered SomeCode: why (request ...)`: what is waited for is the why, and no error.
_ANSWERED = re.compile(r"^\w+ answered \w[\w.]*: (.*?)(?: \(request [^)]*\))?$", re.DOTALL)


@dataclass
class Step:
    """What one resource is at, and since when."""

    piece: str
    doing: str = ""
    detail: str = ""
    since: float = 0.0
    end: str = ""


@dataclass
class Board:
    """All steps of one run; written by its threads, read by the screen."""

    pieces: Mapping[str, str]
    outlook: Outlook
    steps: dict[str, Step] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
    columns: int = 80

    def hear(self, event: Event) -> None:
        """Take in one event."""
        self.outlook.hear(event)
        with self.guard:
            step = self.steps.setdefault(event.node, Step(self.pieces.get(event.node, "")))
            if event.what == "starting":
                step.doing, step.since = event.verb, time.monotonic()
            elif event.what == "retrying":
                step.detail = f"waits: {plainly(event.detail)}"
            elif event.what in ("exists", "waiting"):
                step.detail = ""
            elif event.what in ENDS:
                step.end = event.what

    def tree(self) -> Tree:
        """The tree of pieces, with what runs now under each."""
        from rich.tree import Tree  # noqa: PLC0415 - only a terminal pays for it

        root = Tree("", hide_root=True)
        with self.guard:
            for piece in dict.fromkeys(self.pieces.values()):
                names = [name for name, of in self.pieces.items() if of == piece]
                ended = sum(self._ended(name) for name in names)
                mark = "[green]✓[/]" if ended == len(names) else "[yellow]•[/]" if ended else " "
                branch = root.add(f"{mark} {piece} [dim]{ended}/{len(names)}[/]")
                for name in names:
                    if line := self._line(name):
                        branch.add(line)
        root.add(self._bar())
        return root

    def _bar(self) -> str:
        """How much of the longest chain is behind, and when the rest will be."""
        whole, left = self.outlook.whole(), self.outlook.left()
        if whole < _WORTH_A_BAR or all(self._ended(name) for name in self.pieces):
            return ""
        width = min(_WIDTH, max(self.columns - _WORDS, 0))
        share = min(max(1 - left / whole, 0.0), 1.0)
        done = round(width * share)
        told = f"about {left:.0f} s left" if left >= 1 else "any moment now"
        return f"[green]{'━' * done}[/][dim]{'━' * (width - done)}[/] {share:.0%}, {told}"

    def _ended(self, name: str) -> bool:
        step = self.steps.get(name)
        return bool(step and step.end in _DONE)

    def _line(self, name: str) -> str:
        step = self.steps.get(name)
        if step is None or step.end in _DONE:
            return ""
        if step.end == "failed":
            return f"[red]✗ {name}[/]"
        if step.end == "stopped":
            return f"[yellow]‖ {name}[/] [dim]stopped; the same command goes on with it[/]"
        elapsed = time.monotonic() - step.since if step.since else 0.0
        usual = self.outlook.usual(name)
        of = f" of about {usual:.0f} s" if usual >= 1 else " s"
        tail = f" [dim]{escape(step.detail[:70])}[/]" if step.detail else ""
        return f"{name} {step.doing} {elapsed:.0f}{of}{tail}"


def plainly(detail: str) -> str:
    """Why a call is made again, in AWS's words, without what makes it look like an error."""
    found = _ANSWERED.match(detail)
    return (found[1] or detail) if found else detail


def escape(text: str) -> str:
    """The text, with nothing in it that rich would take for a mark."""
    return text.replace("[", "\\[")


@contextmanager
def progress(say: Say, pieces: Mapping[str, str], outlook: Outlook) -> Iterator[Listener]:
    """A listener for the run inside; `pieces` says which step each node belongs to."""
    if say.as_json:
        yield lambda event: _record(say, event)
    elif say.is_terminal and not say.quiet:
        with _live(Board(pieces, outlook), color=say.color) as listener:
            yield listener
    else:
        yield _Plain(say).hear


def _record(say: Say, event: Event) -> None:
    say.record(
        "event",
        what=event.what,
        node=event.node,
        verb=event.verb,
        detail=event.detail,
        seconds=round(event.seconds, 3),
        id=event.id,
    )


@contextmanager
def _live(board: Board, *, color: bool) -> Iterator[Listener]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True, no_color=not color)
    board.columns = console.width
    with Live(console=console, refresh_per_second=_REFRESH, get_renderable=board.tree, transient=False):

        def hear(event: Event) -> None:
            event = replace(event, detail=clean(event.detail), id=clean(event.id))
            board.hear(event)
            if event.what in _SAID:
                console.print(event.detail, markup=False, highlight=False, soft_wrap=True)

        yield hear


class _Plain:
    """One line a finished step; a wait says that it goes on every half minute."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told: dict[str, float] = {}

    def hear(self, event: Event) -> None:
        now = time.monotonic()
        if event.what in _DONE and event.verb != "keep":
            done = f"{event.what} ({event.detail})" if event.detail else event.what
            self._say.note(f"{event.node}: {done} after {event.seconds:.1f} s  {event.id}".rstrip())
        elif event.what == "failed":
            self._say.note(f"{event.node}: failed: {event.detail}")
        elif event.what == "stopped":
            self._say.note(f"{event.node}: stopped; the same command goes on with it")
        elif event.what in _SAID:
            self._say.note(event.detail)
        elif event.what == "retrying" and now - self._told.get(event.node, 0.0) > _QUIET:
            self._told[event.node] = now
            self._say.note(f"{event.node}: {event.verb} waits: {plainly(event.detail)}")
