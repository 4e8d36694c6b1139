"""`status --watch`: one reading of the stack after another, until nobody watches any more."""

from __future__ import annotations

from datetime import UTC, datetime

from provisioner.commands.place import location_description
from provisioner.commands.showing import StatusReport, read_status, record
from provisioner.errors import NoSuchStack
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.health import Painted, health_lines
from provisioner.terminal.say import Console
from provisioner.terminal.screen import Screen


def watch(console: Console, session: Session, every: float) -> int:
    """Read the stack, show it, wait, and repeat; on a terminal, each reading replaces the one before."""
    screen = Screen(console)
    try:
        while console.is_heard:
            look = read_status(session)
            if look.is_empty:
                raise session.nothing_exists_error()
            if console.as_json:
                record(console, session, look)
            else:
                screen.show([_head(session), *_lines(look)])
            session.aws.calls.forget()
            session.clock.sleep(every)
            _read_anew(session)
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    return 0


def _read_anew(session: Session) -> None:
    """Read the state again, as another run may have written it meanwhile."""
    workspace = session.options.workspace
    state = workspace.load_state(session.suffix)
    if state is None:
        raise NoSuchStack(f"No stack {session.suffix} is known any more {workspace.description}.")
    session.state = state


def _head(session: Session) -> Painted:
    """Return the first line: the time, the stack and its location."""
    now = datetime.fromtimestamp(session.clock.wall(), UTC).isoformat(timespec="seconds")
    return f"{now.replace('+00:00', 'Z')}  {session.suffix}: {location_description(session)}", "dim"


def _lines(look: StatusReport) -> list[Painted]:
    """Return the lines to show; healthy resources are left out."""
    amiss = [(f"! {row['node']}  {row['kind']}  {row['phase']}  {row['live']}", "red") for row in look.amiss]
    return [*health_lines(look.parts), *amiss, look.verdict]
