"""Whether an image can be pulled, and the right of the tasks' role to pull it, before a rollout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from provisioner.commands.applying import run
from provisioner.commands.one_service import OneService
from provisioner.commands.recording import expect
from provisioner.engine.choice import Choice, narrowed
from provisioner.engine.record import Record
from provisioner.errors import Blocked, ProvisionerError, RolledBack, Superseded
from provisioner.preflight.ecr import look
from provisioner.preflight.pull_rules import filled
from provisioner.session import Session
from provisioner.settings.images import EcrImage
from provisioner.terminal.plan import shown
from provisioner.terminal.say import Say

# The policy that says which private repositories a task's image may be pulled from.
_PULL = "execution-role-start"
# The right by which a pull fetches what is not in ECR yet.
_FILLS = "ecr:BatchImportUpstreamImage"


def pullable(say: Say, session: Session, image: str, *, must: bool = False) -> str:
    """Return an image as a task is to be told it: by its digest, where ECR tells that.

    Raises: UsageError where ECR has no such image, Blocked where it has archived it; an error of the call
    where this account's ECR `must` tell and does not.
    """
    has_nat = session.settings.network.nat != "none"
    found = look(session.clients, image, session.place.account, must=must, has_way_out=has_nat)
    if found is None:
        return image
    if found.blocks:
        raise found.error()
    if found.what:
        say.note(f"{found.what}.")
    return found.pinned


def demand_pullable(say: Say, session: Session, images: Iterable[str]) -> None:
    """Blocked where a task that is started now could not pull one of these images: it would never run."""
    has_nat = session.settings.network.nat != "none"
    for image in dict.fromkeys(images):
        found = look(session.clients, image, session.place.account, has_way_out=has_nat)
        if found and found.blocks:
            raise Blocked(f"{found.what}. Nothing was changed.", found.hint)
        if found and found.what:
            say.note(f"{found.what}.")


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
    found = EcrImage.of(image)
    if found is None or _may_pull(session, image, found):
        return False
    return _fit(say, session, one, image, record)


def _may_pull(session: Session, image: str, place: EcrImage) -> bool:
    """Whether the state tells that the role has the right, and that to fetch it where a rule of ECR does."""
    entry = session.document.entries.get(_PULL)
    told = str(entry.confirmed) if entry else ""
    is_filled = bool(filled(session.clients, [image], session.place.account))
    repository = f"{place.region}:{place.account}:repository/{place.repository}'"
    return repository in told and (not is_filled or _FILLS in told)


def _fit(say: Say, session: Session, one: OneService, image: str, record: Record) -> bool:
    """Let that role pull this image, as an `apply` would; whether that was a change."""
    made = narrowed(session.plan(shipping={one.name: image}), session.document, Choice((_PULL,), ()))
    if changes := bool(shown(made)):
        found = EcrImage.of(image)
        whence = found.repository if found else "no private repository of before"
        say.note(f"The tasks' role gets the right to pull from {whence}.")
        expect(record, session, made)
        run(say, session, made, record)
    return changes
