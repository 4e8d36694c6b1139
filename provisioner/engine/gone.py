"""Whether a resource that AWS does not delete is not there: codes differ, so a look decides."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.compare import meets
from provisioner.engine.covering import covers
from provisioner.engine.faults import Fault, code_of, fault_of
from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Foreign, is_named
from provisioner.engine.target import Target, lacks, read

# A miss alone is no end: AWS may overlook for a moment what has long been there.
_LOOKS = 2


def is_gone(clients: Clients, target: Target, error: BaseException) -> bool:
    """Whether a delete that failed has nothing left to delete.

    A code of the type's own says so; after any other refusal, or an answer that never came, a look does. What
    is denied or throttled was not looked at, and a look that fails proves nothing.
    """
    if code_of(error) in target.kind.absent or lacks(clients, target, error):
        return True
    if fault_of(error) not in (Fault.REFUSED, Fault.LOST):
        return False
    try:
        return not any(_is_there(clients, target) for _ in range(_LOOKS))
    except (BotoCoreError, ClientError, Foreign):
        return False


def refuses_for_good(target: Target, error: BaseException) -> bool:
    """Whether time does not cure the refusal of a delete: the type names those that it does."""
    return fault_of(error) is Fault.REFUSED and not is_named(
        error, target.kind.transient.get("delete", frozenset())
    )


def is_protected(kind: Kind, doc: Doc) -> bool:
    """Whether AWS would refuse to delete it; one that tells nothing of it is as AWS makes it."""
    return any(key in doc and not covers(doc[key], off) for key, off in kind.unprotected.items())


def protection(clients: Clients, target: Target) -> Doc | None:
    """What AWS says of a resource that it would not delete as it is protected; None of any other.

    A look that fails proves nothing.
    """
    if not target.kind.unprotected_by:
        return None
    try:
        doc = read(clients, target)
    except (BotoCoreError, ClientError, Foreign):
        return None
    return doc if doc is not None and is_protected(target.kind, doc) else None


def way_off(clients: Clients, target: Target, doc: Doc) -> str:
    """Return the command that takes the protection of a resource off, in backquotes."""
    region = target.region or clients.aws.region
    return f"`{target.kind.unprotected_by.format(**doc)} --region {region}`"


def _is_there(clients: Clients, target: Target) -> bool:
    doc = read(clients, target)
    return doc is not None and not meets(doc, target.kind.gone)
