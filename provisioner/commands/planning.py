"""`plan`: what apply would do."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from provisioner.commands.circumstances import read_with
from provisioner.commands.counts import resources_in
from provisioner.commands.forecasting import forecast, refresh_prices
from provisioner.commands.on_github import give, summarise
from provisioner.commands.place import checked, header
from provisioner.commands.refusing import refusal
from provisioner.commands.saved import saved
from provisioner.commands.writing import write
from provisioner.engine.choice import Choice, begun, narrowed
from provisioner.engine.peers import Peers
from provisioner.engine.plan import Plan
from provisioner.names import PROGRAM
from provisioner.session import Session
from provisioner.terminal.forecast import Forecast
from provisioner.terminal.markdown import plan_markdown
from provisioner.terminal.plan import show_plan, shown
from provisioner.terminal.say import Say

CHANGES_PRESENT = 2


@dataclass(frozen=True)
class Showing:
    """How a plan is shown: with an exit code that tells of changes, as one of several, with new prices."""

    detailed: bool = False
    among_others: bool = False
    with_new_prices: bool = False
    # A file for a pull request's comment.
    markdown: Path | None = None

    def begin(self, say: Say, session: Session) -> None:
        """Ask for prices where that is wished; name the stack where there are several."""
        if self.with_new_prices:
            refresh_prices(say, session)
        if self.among_others and not say.as_json:
            say.data(f"{session.suffix}:")

    def hand_on(self, session: Session, made: Plan, told: Forecast) -> None:
        """Write it as Markdown where that is wished, and for the job on GitHub that this may be."""

        def text() -> str:
            return plan_markdown(made, told)

        summarise(text, session.tell)
        if not self.among_others:
            give({"changes": len(shown(made))}, session.tell)
        if self.markdown:
            write(self.markdown, text())

    def code(self, *, changes: bool) -> int:
        """The exit code."""
        return CHANGES_PRESENT if self.detailed and changes else 0


@dataclass(frozen=True)
class Keeping:
    """Where a plan is kept, and where its settings came from."""

    path: Path
    config: Path | None
    sets: list[str]


def plan(say: Say, session: Session, showing: Showing, choice: Choice, keeping: Keeping | None = None) -> int:
    """Show what apply would do, and keep it where that is asked for."""
    header(say, session)
    started = time.monotonic()
    whole = read_with(session, session.plan())
    made = begun(whole, narrowed(whole, session.document, choice))
    showing.begin(say, session)
    told = forecast(session, made)
    show_plan(say, made, told)
    showing.hand_on(session, made, told)
    if not showing.among_others:
        checked(say, session, made, started)
    if keeping:
        if made.refused:
            blocked = refusal(made)
            blocked.hint += f" {keeping.path} was not written: there is nothing to apply."
            raise blocked
        saved(session, made, choice, keeping.config, keeping.sets).save(keeping.path)
        local = " --local" if session.aws.local else ""
        say.note(f"Kept in {keeping.path}: `{PROGRAM} apply {keeping.path}{local}` does exactly that.")
    return showing.code(changes=bool(shown(made)))


def plan_all(say: Say, sessions: list[Session], showing: Showing, choice: Choice) -> int:
    """Show what apply would do to each stack; those of one region are looked at together."""
    started = time.monotonic()
    look_together(sessions)
    code = max((plan(say, session, showing, choice) for session in sessions), default=0)
    calls = sum(aws.calls.counted.total() for aws in {id(one.aws): one.aws for one in sessions}.values())
    count = sum(resources_in(session.document) for session in sessions)
    seconds = time.monotonic() - started
    say.note(
        f"{count} resources of {len(sessions)} stacks checked with {calls} calls in {seconds:.1f} s", "dim"
    )
    return code


def look_together(sessions: Iterable[Session]) -> None:
    """Let the sessions of one region share their next look: equal reads of all of them are made once."""
    regions: dict[str, list[Session]] = {}
    for session in sessions:
        regions.setdefault(session.place.region, []).append(session)
    for alike in regions.values():
        looking = alike[0].clients.sharing(Peers.of(*(session.document for session in alike)))
        for session in alike:
            session.looking = looking
