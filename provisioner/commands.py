"""What each command does, from the stack's name to the exit code; `cli.py` only parses and calls these."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from provisioner.engine.act import read
from provisioner.engine.apply import outputs_of
from provisioner.engine.clock import Clock
from provisioner.engine.outcome import Outcome
from provisioner.engine.plan import Plan
from provisioner.engine.teardown import target_in
from provisioner.errors import Blocked, Declined, NoSuchStack, ProvisionerError, UsageError
from provisioner.kinds import KINDS
from provisioner.session import Session
from provisioner.terminal.plan import sentence, show_plan, shown
from provisioner.terminal.progress import progress
from provisioner.terminal.say import Say, table

CHANGES_PRESENT = 2
SECOND_SIGNAL = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass(frozen=True)
class Asking:
    """How a command may ask: not at all with --yes, not without a terminal."""

    yes: bool

    def confirm(self, say: Say, question: str, wanted: str = "yes") -> None:
        """Go on only when `wanted` is typed; UsageError where nobody can type."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError("There is no terminal to ask at.", "Give --yes to go on without being asked.")
        say.note(f"{question} ", "bold")
        if sys.stdin.readline().strip() != wanted:
            raise Declined("Nothing was changed.", "")


def plan(say: Say, session: Session, *, detailed: bool) -> int:
    """Show what apply would do."""
    header(say, session)
    started = time.monotonic()
    made = session.plan()
    show_plan(say, made)
    checked(say, session, made, started)
    return CHANGES_PRESENT if detailed and shown(made) else 0


def apply(say: Say, session: Session, asking: Asking, lock_timeout: float) -> int:
    """Plan, ask, carry out, and print the outputs last."""
    header(say, session)
    with session.locked("apply", lock_timeout):
        started = time.monotonic()
        made = session.plan()
        if made.refused:
            show_plan(say, made)
            raise refusal(made)
        if shown(made):
            show_plan(say, made)
            asking.confirm(say, f"Apply this to {whereabouts(session)}? Type yes:")
        else:
            say.note(sentence(made))
        if shown(made) or not session.is_known:
            run(say, session, made)
        else:
            session.document.outputs = outputs_of(made, made.docs)
        checked(say, session, made, started)
    show_outputs(say, session.document.outputs, "json" if say.as_json else "table")
    return 0


def run(say: Say, session: Session, made: Plan) -> None:
    """Carry the plan out with the progress shown; the first signal ends it softly."""
    pieces = {node.name: node.piece for node in made.stack if made.changes[node.name].verb != "keep"}
    with progress(say, pieces) as session.listen, signals(say, session.clock) as caught:
        outcome = session.apply(made)
    finish(outcome, caught)


def finish(outcome: Outcome, caught: list[int]) -> None:
    """Raise what the run ended with."""
    if caught:
        outcome.interrupted = SECOND_SIGNAL[signal.Signals(caught[0])]
    if error := outcome.error():
        raise error


def teardown(say: Say, session: Session, asking: Asking, lock_timeout: float) -> int:
    """Show what would go, ask for the suffix, remove in reverse order, look whether it is empty."""
    header(say, session)
    with session.locked("teardown", lock_timeout):
        made = session.plan()
        going = sorted(made.found | session.document.entries.keys())
        if not going:
            raise NoSuchStack(
                f"There is nothing of the stack {session.suffix} in {whereabouts(session)}.",
                "`python cli.py list` shows the stacks that are known here.",
            )
        protected = [entry.name for entry in session.document.entries.values() if is_protected(entry.wanted)]
        if protected:
            raise Blocked(
                f"{', '.join(protected)} is protected against deletion; nothing was touched.",
                f"Take the protection off: `python cli.py apply --suffix {session.suffix} "
                "--set database.deletion_protection=false`, then run this again.",
            )
        say.note(f"{len(going)} resources of {whereabouts(session)} go, the data in them too:")
        say.note("  " + ", ".join(going))
        asking.confirm(say, f"Type {session.suffix} to remove them:", session.suffix)
        pieces = {node.name: node.piece for node in made.stack if node.name in going}
        with progress(say, pieces) as session.listen, signals(say, session.clock) as caught:
            outcome = session.teardown(made)
        finish(outcome, caught)
    message = f"The stack {session.suffix} is gone: {len(outcome.done)} resources in {outcome.seconds:.1f} s."
    say.record("teardown", suffix=session.suffix, removed=outcome.done) if say.as_json else say.data(message)
    return 0


def is_protected(wanted: Mapping[str, object]) -> bool:
    """Whether AWS would refuse to delete it."""
    return bool(wanted.get("DeletionProtection") or wanted.get("DeletionProtectionEnabled"))


def status(say: Say, session: Session) -> int:
    """Every resource with its phase, id and what AWS says of it now; then the outputs."""
    rows = []
    clients = session.clients.sharing()
    well = True
    for name, entry in session.document.entries.items():
        kind = KINDS[entry.kind]
        if kind.shared:
            continue
        doc = read(clients, target_in(session.document, name, KINDS))
        live = "missing" if doc is None else condition(kind.ready, doc)
        well = well and doc is not None and entry.phase == "ready"
        rows.append({"node": name, "kind": entry.kind, "phase": entry.phase, "id": entry.id, "live": live})
    _show_status(say, session, rows)
    return 0 if well else 1


def condition(ready: Mapping[str, object], doc: Mapping[str, object]) -> str:
    """What AWS says of a resource, in the word that its kind waits for."""
    for key in ready:
        value = doc.get(key)
        return str(value.get("Code") if isinstance(value, Mapping) else value)
    return "there"


def _show_status(say: Say, session: Session, rows: list[dict[str, str]]) -> None:
    document = session.document
    if say.as_json:
        say.record("status", suffix=session.suffix, resources=rows, outputs=document.outputs)
        return
    say.data(f"{session.suffix}: {whereabouts(session)}")
    head = ("node", "kind", "phase", "live", "id")
    for line in table(([row[key] for key in head] for row in rows), head):
        say.data(line)
    say.data("")
    show_outputs(say, document.outputs, "table")


def show_outputs(say: Say, outputs: Mapping[str, str], form: str) -> None:
    """The outputs as a table, JSON, shell variables, or for GitHub Actions."""
    if form == "json":
        say.data(json.dumps(dict(outputs), indent=None if say.as_json else 2))
        return
    if form in ("env", "github"):
        for name, value in outputs.items():
            say.data(f"{name.upper() if form == 'env' else name}={value}")
        return
    for line in table(outputs.items(), ("output", "value")):
        say.data(line)


def header(say: Say, session: Session) -> None:
    """Where this acts, and who said so."""
    source = f" (region from {session.region_source})" if session.region_source else ""
    say.note(f"Stack {session.suffix} in {whereabouts(session)}{source}", "dim")


def whereabouts(session: Session) -> str:
    """Account, region and endpoint in words."""
    place = session.place
    if session.aws.local:
        return f"the embedded AWS at {session.aws.local.endpoint}, region {place.region}"
    endpoint = f", endpoint {place.endpoint}" if place.endpoint else ""
    return f"account {place.account}, region {place.region}{endpoint}"


def checked(say: Say, session: Session, made: Plan, started: float) -> None:
    """How much was looked at, with how many calls, in what time."""
    calls = sum(session.aws.calls.values())
    count = len(made.changes)
    say.note(f"{count} resources checked with {calls} calls in {time.monotonic() - started:.1f} s", "dim")


def refusal(made: Plan) -> ProvisionerError:
    """Why nothing may be changed."""
    told = "\n".join(f"  {one.kind} {one.name} {one.id}: {one.why}" for one in made.refused)
    return Blocked(
        f"{len(made.refused)} in the way; nothing was changed.\n{told}",
        "Choose another suffix, or delete or rename what is somebody else's.",
    )


@contextmanager
def signals(say: Say, clock: Clock) -> Iterator[list[int]]:
    """Inside, the first SIGINT or SIGTERM asks the run to end softly; the second ends the process."""
    caught: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        if caught:
            os._exit(SECOND_SIGNAL[signal.Signals(number)])
        caught.append(number)
        say.note("Stopping: calls in flight finish and are recorded; once more to stop at once.")
        clock.stop()

    former = {number: signal.signal(number, hear) for number in SECOND_SIGNAL}
    try:
        yield caught
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
