"""The right of the role that starts tasks to pull an image, given before it is rolled out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.commands.applying import run
from provisioner.commands.one_service import OneService
from provisioner.commands.recording import expect
from provisioner.engine.choice import Choice, narrowed
from provisioner.engine.record import Record
from provisioner.errors import ProvisionerError, RolledBack, Superseded
from provisioner.session import Session
from provisioner.settings.images import private_ecr
from provisioner.terminal.plan import shown
from provisioner.terminal.say import Say

# The policy that says which private repositories a task's image may be pulled from.
_PULL = "execution-role-start"


@contextmanager
def pulling(say: Say, session: Session, one: OneService, image: str, record: Record) -> Iterator[None]:
    """Inside, the tasks may pull an image; where others run in the end, those may be pulled."""
    has_changed = let_pull(say, session, one, image, record)
    try:
        yield
    except (RolledBack, Superseded):
        if has_changed:
            try:
                _fit(say, session, one, one.running().image, record)
            except ProvisionerError as error:  # how the deployment ended is what the run ends with
                session.tell(error.message, "`apply` gives the tasks' role the right to pull what runs.")
        raise


def let_pull(say: Say, session: Session, one: OneService, image: str, record: Record) -> bool:
    """Give the role that starts tasks the right to pull from a repository that it may not pull from yet."""
    found = private_ecr(image)
    entry = session.document.entries.get(_PULL)
    if found is None or (entry and f"repository/{found['repository']}" in str(entry.confirmed)):
        return False
    return _fit(say, session, one, image, record)


def _fit(say: Say, session: Session, one: OneService, image: str, record: Record) -> bool:
    """Let that role pull this image, as an `apply` would; whether that was a change."""
    made = narrowed(session.plan(shipping={one.name: image}), session.document, Choice((_PULL,), ()))
    if changes := bool(shown(made)):
        found = private_ecr(image)
        whence = found["repository"] if found else "no private repository of before"
        say.note(f"The tasks' role gets the right to pull from {whence}.")
        expect(record, session, made)
        run(say, session, made, record)
    return changes
