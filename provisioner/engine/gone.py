"""Whether a resource is gone that AWS does not delete, or is protected: codes differ, so a read decides."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.compare import meets_condition
from provisioner.engine.covering import covers
from provisioner.engine.faults import ErrorCategory, categorize, code_of
from provisioner.engine.refs import JsonObject
from provisioner.engine.refused import OwnershipConflict, matches_codes
from provisioner.engine.resource_type import ResourceType
from provisioner.engine.target import ManagedResource, is_unsupported_call, read

# Reads that must miss a resource before it counts as gone: AWS may overlook an old one for a moment.
_LOOKS = 2


def is_gone(clients: Clients, managed: ManagedResource, error: BaseException) -> bool:
    """Return whether a delete that failed has nothing left to delete.

    An `absent` code of the type proves it. After any other refusal, or where no answer came, reads decide.
    After a denied or throttled call nothing is read, and a read that fails proves nothing.
    """
    if code_of(error) in managed.type.not_found_codes or is_unsupported_call(clients, managed, error):
        return True
    if categorize(error) not in (ErrorCategory.REFUSED, ErrorCategory.LOST):
        return False
    try:
        return not any(_is_there(clients, managed) for _ in range(_LOOKS))
    except (BotoCoreError, ClientError, OwnershipConflict):
        return False


def is_permanent_refusal(managed: ManagedResource, error: BaseException) -> bool:
    """Return whether AWS refused a delete by a code that is not among the type's temporary ones."""
    return categorize(error) is ErrorCategory.REFUSED and not matches_codes(
        error, managed.type.retryable_codes.get("delete", frozenset())
    )


def is_protected(resource_type: ResourceType, actual: JsonObject) -> bool:
    """Return whether a property in the actual state makes AWS refuse the deletion; absent ones do not."""
    return any(key in actual and not covers(actual[key], off) for key, off in resource_type.unprotected.items())


def protection(clients: Clients, managed: ManagedResource) -> JsonObject | None:
    """Return the actual state of a resource that is protected from deletion; None of any other.

    It is None, too, where the read fails, as that proves nothing.
    """
    if not managed.type.unprotected_by:
        return None
    try:
        actual = read(clients, managed)
        if actual is None or is_protected(managed.type, actual):
            return actual
        client = clients.client(managed.type.service, managed.region)
        return managed.type.deletion_protected(client, managed.spec, actual) or None
    except (BotoCoreError, ClientError, OwnershipConflict, UnknownCall):
        return None


def way_off(clients: Clients, managed: ManagedResource, actual: JsonObject) -> str:
    """Return the command that ends the protection of a resource, in backquotes."""
    region = managed.region or clients.aws.region
    return f"`{managed.type.unprotected_by.format(**actual)} --region {region}`"


def _is_there(clients: Clients, managed: ManagedResource) -> bool:
    actual = read(clients, managed)
    return actual is not None and not meets_condition(actual, managed.type.deleted)
