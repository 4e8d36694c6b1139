"""`history`, `show`, `diff`: what runs were, from their records; calls nothing but where the state is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from provisioner.engine.contrast import contrast
from provisioner.engine.past import Past, past_of
from provisioner.errors import LedgerError, NoSuchStack, UsageError
from provisioner.names import PROGRAM
from provisioner.terminal.contrast import show_contrast
from provisioner.terminal.past import show_history, show_past
from provisioner.terminal.say import Say
from provisioner.workspace import Workspace
from state.runs import Doc, History, Name

_AT_ONCE = 8
_LAST = re.compile(r"last(?:~([0-9]+))?")


def history(say: Say, workspace: Workspace, suffix: str | None, limit: int = 0) -> int:
    """List the newest `limit` runs of a stack, of all stacks where none is named; 0 for every one.

    Only those records are read that are shown; a damaged one hides no other.
    """
    damaged: list[LedgerError] = []
    names = _names(workspace, suffix)
    shown = names[: limit or None]
    show_history(say, list(readable(workspace.history, shown, damaged)))
    if more := len(names) - len(shown):
        say.note(f"{more} earlier runs are recorded; `--limit 0` lists all.", "dim")
    for one in damaged:
        say.warn(one.message, one.hint)
    return LedgerError.exit_code if damaged else 0


def show(say: Say, workspace: Workspace, suffix: str | None, run: str) -> int:
    """One run."""
    show_past(say, _chosen(say, workspace, suffix, run))
    return 0


def diff(say: Say, workspace: Workspace, suffix: str | None, one: str, other: str) -> int:
    """What differs between two runs."""
    show_contrast(say, contrast(*(_chosen(say, workspace, suffix, run) for run in (one, other))))
    return 0


def readable(runs: History, names: list[Name], damaged: list[LedgerError]) -> Iterator[Past]:
    """Several are read at a time: where the state is shared, each is a call."""

    def read(name: Name) -> Past | LedgerError:
        try:
            return past_of(name.run, runs.read(name))
        except LedgerError as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(read, names):
            if isinstance(found, LedgerError):
                damaged.append(found)
            else:
                yield found


def _names(workspace: Workspace, suffix: str | None) -> list[Name]:
    """The runs there are; NoSuchStack, with the nearest there is, where there is none."""
    found = workspace.history.names(suffix or "*")
    if found:
        return found
    known = workspace.history.suffixes()
    whose = f"of {suffix} " if suffix else ""
    raise NoSuchStack(f"No run {whose}is recorded {workspace.words}.", _near(suffix or "", known, workspace))


def _near(suffix: str, known: list[str], workspace: Workspace) -> str:
    if not known:
        return f"`{workspace.command('apply', suffix or 'NAME')}` leaves a record.{workspace.rehearsed}"
    near = difflib.get_close_matches(suffix, known, n=1)
    if near:
        return f"Did you mean `--suffix {near[0]}`?"
    listed = workspace.command("history", known[0])
    return f"There are runs of: {', '.join(known)}; `{listed}` lists them."


def _chosen(say: Say, workspace: Workspace, suffix: str | None, run: str) -> Past:
    """The run of that name, of which the beginning is enough; `last` is the newest, `last~1` that before.

    Of those that are counted from the last, one that cannot be read is named and passed over.
    """
    names = _names(workspace, suffix)
    if back := _LAST.fullmatch(run):
        there = passing_over(say, workspace.history, names)
        found = next(islice(there, int(back[1] or 0), None), None)
        if found is None:
            raise _no_such_run(run, [], [name.run for name in names], suffix)
        return past_of(found[0].run, found[1])
    listed = [name for name in names if name.run.startswith(run)]
    if len(listed) != 1:
        raise _no_such_run(run, [name.run for name in listed], [name.run for name in names], suffix)
    return past_of(listed[0].run, workspace.history.read(listed[0]))


def passing_over(say: Say, runs: History, names: Iterable[Name]) -> Iterator[tuple[Name, Doc]]:
    """Yield the records that can be read, in the order of their names; say which cannot."""
    for name in names:
        try:
            yield name, runs.read(name)
        except LedgerError as error:
            say.warn(error.message, error.hint)


def _no_such_run(run: str, found: list[str], names: list[str], suffix: str | None) -> UsageError:
    whose = f" of {suffix}" if suffix else ""
    command = f"`{PROGRAM} history{f' --suffix {suffix}' if suffix else ''}` lists them."
    if found:
        return UsageError(
            f"{len(found)} runs{whose} begin with {run}: {', '.join(found)}.", "Say more of it."
        )
    if _LAST.fullmatch(run):
        return UsageError(f"There is no run {run}{whose}: {len(names)} are recorded.", command)
    near = difflib.get_close_matches(run, names, n=1, cutoff=0.0)[0]
    return UsageError(f"There is no run {run}{whose}.", f"Did you mean {near}? {command}")
