"""`rotate-origin-secret`: a new key between CloudFront and the load balancer, and no request fails.

The stages of the secret's versions say how far it came: with a pending version the balancer takes both keys
and CloudFront shows the pending one; once that is everywhere the pending version becomes the current one, and
the balancer forgets the old. Killed anywhere, the same command goes on from there.
"""

from __future__ import annotations

from typing import Any

from provisioner.commands.applying import run
from provisioner.commands.asking import Asking
from provisioner.commands.place import header
from provisioner.commands.recording import expect, recorded
from provisioner.commands.undisturbed import undisturbed
from provisioner.engine.explain import explained
from provisioner.engine.plan import Plan
from provisioner.engine.record import Record
from provisioner.errors import Blocked, UsageError
from provisioner.kinds.origin_key import CURRENT, PENDING, new_key
from provisioner.session import Session
from provisioner.terminal.plan import shown
from provisioner.terminal.say import Say

_NODE, _PIECES = "origin-key", ("alb", "cloudfront")


def rotate(say: Say, session: Session, asking: Asking, lock_timeout: float) -> int:
    """Stage a new key, let both sides learn it, promote it, let the balancer forget the old one."""
    header(say, session)
    with (
        session.locked("rotate-origin-secret", lock_timeout),
        recorded(session, "rotate") as record,
        undisturbed(session),
    ):
        entry = session.document.entries.get(_NODE)
        if entry is None or not entry.id:
            raise UsageError(
                f"The stack {session.suffix} has no key between CloudFront and its load balancer.",
                "The setting `edge.guard` makes one.",
            )
        secrets = session.clients.client("secretsmanager")
        if not _versions(secrets, entry.id).get(PENDING):
            _only_the_key(session, session.plan())
            asking.confirm(say, f"Change the key of {session.suffix}?")
            with explained("staging a new key"):
                secrets.put_secret_value(SecretId=entry.id, SecretString=new_key(), VersionStages=[PENDING])
        say.note("The load balancer learns the new key, then CloudFront shows it.")
        _learn(say, session, record)
        _promote(secrets, entry.id)
        say.note("The load balancer forgets the old key.")
        _learn(say, session, record)
    say.data(f"The key of {session.suffix} was changed.")
    return 0


def _learn(say: Say, session: Session, record: Record) -> None:
    """Bring balancer and CloudFront to what the versions say, and wait until that is everywhere."""
    made = session.plan()
    _only_the_key(session, made)
    if shown(made):
        expect(record, session, made)
        run(say, session, made, record)


def _only_the_key(session: Session, made: Plan) -> None:
    other = [change.node for change in shown(made) if change.piece not in _PIECES]
    if made.refused or other:
        raise Blocked(
            f"The stack is not as it is declared by the settings given here ({', '.join(other)} differ).",
            "Give the `--config` and every `--set` of its last `apply` again. With them "
            f"`{session.where.workspace.command('plan', session.suffix)}` shows what is left to apply.",
        )


def _versions(secrets: Any, arn: str) -> dict[str, str]:
    """The id of the version that each stage is at."""
    with explained("looking at the key's versions"):
        listed = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return {stage: version for version, stages in listed.items() for stage in stages}


def _promote(secrets: Any, arn: str) -> None:
    """The pending version becomes the current one: two calls, the second alone where the first was made."""
    at = _versions(secrets, arn)
    new, old = at[PENDING], at[CURRENT]
    with explained("promoting the new key"):
        if new != old:
            secrets.update_secret_version_stage(
                SecretId=arn, VersionStage=CURRENT, MoveToVersionId=new, RemoveFromVersionId=old
            )
        secrets.update_secret_version_stage(SecretId=arn, VersionStage=PENDING, RemoveFromVersionId=new)
