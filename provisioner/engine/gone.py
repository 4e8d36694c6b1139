"""Whether a resource is gone that AWS does not delete, or is protected: codes differ, so a read decides."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.compare import meets
from provisioner.engine.covering import covers
from provisioner.engine.faults import Fault, code_of, fault_of
from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Foreign, is_named
from provisioner.engine.target import ManagedResource, is_unsupported_call, read

# Reads that must miss a resource before it counts as gone: AWS may overlook an old one for a moment.
_LOOKS = 2


def is_gone(clients: Clients, managed: ManagedResource, error: BaseException) -> bool:
    """Return whether a delete that failed has nothing left to delete.

    An `absent` code of the type proves it. After any other refusal, or where no answer came, reads decide.
    After a denied or throttled call nothing is read, and a read that fails proves nothing.
    """
    if code_of(error) in managed.type.absent or is_unsupported_call(clients, managed, error):
        return True
    if fault_of(error) not in (Fault.REFUSED, Fault.LOST):
        return False
    try:
        return not any(_is_there(clients, managed) for _ in range(_LOOKS))
    except (BotoCoreError, ClientError, Foreign):
        return False


def refuses_for_good(managed: ManagedResource, error: BaseException) -> bool:
    """Return whether AWS refused a delete by a code that is not among the type's temporary ones."""
    return fault_of(error) is Fault.REFUSED and not is_named(error, managed.type.transient.get("delete", frozenset()))


def is_protected(kind: Kind, doc: Doc) -> bool:
    """Return whether a property in the actual state makes AWS refuse the deletion; absent ones do not."""
    return any(key in doc and not covers(doc[key], off) for key, off in kind.unprotected.items())


def protection(clients: Clients, managed: ManagedResource) -> Doc | None:
    """Return the actual state of a resource that is protected from deletion; None of any other.

    It is None, too, where the read fails, as that proves nothing.
    """
    if not managed.type.unprotected_by:
        return None
    try:
        doc = read(clients, managed)
        if doc is None or is_protected(managed.type, doc):
            return doc
        client = clients.client(managed.type.service, managed.region)
        return managed.type.deletion_protected(client, managed.spec, doc) or None
    except (BotoCoreError, ClientError, Foreign, UnknownCall):
        return None


def way_off(clients: Clients, managed: ManagedResource, doc: Doc) -> str:
    """Return the command that ends the protection of a resource, in backquotes."""
    region = managed.region or clients.aws.region
    return f"`{managed.type.unprotected_by.format(**doc)} --region {region}`"


def _is_there(clients: Clients, managed: ManagedResource) -> bool:
    doc = read(clients, managed)
    return doc is not None and not meets(doc, managed.type.gone)
