"""`history`, `show`, `diff`: past runs, from their records; no call, except to a state in S3."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from provisioner.engine.runs.run import Run, run_of
from provisioner.engine.runs.run_diff import diff_runs
from provisioner.errors import NoSuchStack, UsageError
from provisioner.names import PROGRAM
from provisioner.terminal.console import Console
from provisioner.terminal.run import show_history, show_run
from provisioner.terminal.run_diff import show_run_diff
from provisioner.workspace import Workspace
from state.errors import StateError
from state.run_store import JsonObject, RunHistory, RunId

_CONCURRENT_READS = 8
_COUNTED_FROM_LAST = re.compile(r"last(?:~([0-9]+))?")


def list_runs(console: Console, workspace: Workspace, suffix: str | None, limit: int = 0) -> int:
    """List the newest `limit` runs of a stack, or of all stacks if none is given; 0 means every run.

    Only the records that are shown are read; a damaged one hides no other. Return the exit code.
    """
    damaged: list[StateError] = []
    names = recorded_run_ids(workspace, suffix)
    newest = names[: limit or None]
    show_history(console, list(readable_runs(workspace.history, newest, damaged)))
    if left_out := len(names) - len(newest):
        verb = "run is" if left_out == 1 else "runs are"
        console.note(f"{left_out} earlier {verb} recorded; `--limit 0` lists all.", "dim")
    for error in damaged:
        console.warn(error.message, error.hint)
    return StateError.exit_code if damaged else 0


def print_run(console: Console, workspace: Workspace, suffix: str | None, run: str) -> int:
    """Show one run."""
    show_run(console, _find_run(console, workspace, suffix, run))
    return 0


def print_run_diff(console: Console, workspace: Workspace, suffix: str | None, first: str, second: str) -> int:
    """Show the differences between two runs."""
    show_run_diff(console, diff_runs(*(_find_run(console, workspace, suffix, run) for run in (first, second))))
    return 0


def readable_runs(runs: RunHistory, names: list[RunId], damaged: list[StateError]) -> Iterator[Run]:
    """Yield the runs whose records can be read, and collect the errors of the others in `damaged`.

    Several records are read at a time: with a shared state, each one is a call.
    """

    def read(name: RunId) -> Run | StateError:
        try:
            return run_of(name.run, runs.read(name))
        except StateError as error:
            return error

    with ThreadPoolExecutor(_CONCURRENT_READS) as pool:
        for result in pool.map(read, names):
            if isinstance(result, StateError):
                damaged.append(result)
            else:
                yield result


def recorded_run_ids(workspace: Workspace, suffix: str | None) -> list[RunId]:
    """Return the names of the recorded runs, newest first.

    Raises:
        NoSuchStack: No run is recorded; the hint names the nearest suffix.

    """
    runs = workspace.history.run_ids(suffix or "*")
    if runs:
        return runs
    suffixes = workspace.history.suffixes()
    of_stack = f"of {suffix} " if suffix else ""
    raise NoSuchStack(
        f"No run {of_stack}is recorded {workspace.description}.", _suffix_hint(suffix or "", suffixes, workspace)
    )


def _suffix_hint(suffix: str, suffixes: list[str], workspace: Workspace) -> str:
    """Return a hint for a suffix without runs: a similar suffix, or all that have runs."""
    if not suffixes:
        return f"`{workspace.command('apply', suffix or 'NAME')}` leaves a record.{workspace.local_hint}"
    similar = difflib.get_close_matches(suffix, suffixes, n=1)
    if similar:
        return f"Did you mean `--suffix {similar[0]}`?"
    command = workspace.command("history", suffixes[0])
    return f"There are runs of: {', '.join(suffixes)}; `{command}` lists them."


def _find_run(console: Console, workspace: Workspace, suffix: str | None, run: str) -> Run:
    """Return the run that `find_record` finds."""
    name, record = find_record(console, workspace, suffix, run)
    return run_of(name.run, record)


def find_record(console: Console, workspace: Workspace, suffix: str | None, run: str) -> tuple[RunId, JsonObject]:
    """Return the record of the run whose name begins with `run`; `last` is the newest run, `last~1` the one before it.

    Counting from the last run passes over a record that cannot be read, with a warning.

    Raises:
        NoSuchStack: No run is recorded.
        UsageError: No run has such a name, or several have.

    """
    names = recorded_run_ids(workspace, suffix)
    if counted := _COUNTED_FROM_LAST.fullmatch(run):
        readable = skip_damaged(console, workspace.history, names)
        named_record = next(islice(readable, int(counted[1] or 0), None), None)
        if named_record is None:
            raise _no_such_run_error(run, [], [name.run for name in names], suffix)
        return named_record
    matching = [name for name in names if name.run.startswith(run)]
    if len(matching) != 1:
        raise _no_such_run_error(run, [name.run for name in matching], [name.run for name in names], suffix)
    return matching[0], workspace.history.read(matching[0])


def skip_damaged(console: Console, runs: RunHistory, names: Iterable[RunId]) -> Iterator[tuple[RunId, JsonObject]]:
    """Yield the records that can be read, in the order of their names; warn about the others."""
    for name in names:
        try:
            yield name, runs.read(name)
        except StateError as error:
            console.warn(error.message, error.hint)


def _no_such_run_error(run: str, matching: list[str], names: list[str], suffix: str | None) -> UsageError:
    """Return the error that no run of `names` begins with `run`, or that several do: those in `matching`."""
    of_stack = f" of {suffix}" if suffix else ""
    command = f"`{PROGRAM} history{f' --suffix {suffix}' if suffix else ''}` lists them."
    if matching:
        return UsageError(f"{len(matching)} runs{of_stack} begin with {run}: {', '.join(matching)}.", "Say more of it.")
    if _COUNTED_FROM_LAST.fullmatch(run):
        verb = "is" if len(names) == 1 else "are"
        return UsageError(f"There is no run {run}{of_stack}: {len(names)} {verb} recorded.", command)
    similar = difflib.get_close_matches(run, names, n=1, cutoff=0.0)[0]
    return UsageError(f"There is no run {run}{of_stack}.", f"Did you mean {similar}? {command}")
