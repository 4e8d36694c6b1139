"""Resources without a state: looked up, created if they are missing, updated to what is desired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from tenacity import retry_if_exception, stop_after_delay

from provisioner.engine.calls.clients import EMULATOR_TIMEOUT_SECONDS
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy
from provisioner.engine.planning.diff import differences
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import matches_codes
from provisioner.engine.types.data import Codes, codes, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.errors import Blocked
from provisioner.names import has_stack_tags
from provisioner.service_clients import IAM
from provisioner.session import Session

T = TypeVar("T")
# A create whose reply was lost has succeeded: the next read finds the resource.
ALREADY_EXISTS = codes("EntityAlreadyExists")
NO_CODES = codes()
# terraform-provider-aws iam/wait.go: how long IAM may hide what is new.
_PROPAGATION_TIME = minutes(2)


def ensure_resource(session: Session, resource_type: ResourceType, spec: ResourceSpec) -> str:
    """Create a resource, or update ours to its desired properties; return its id.

    Raises:
        Blocked: A resource of this name exists and is somebody else's.

    """
    iam = session.clients.client(IAM)

    def once() -> str:
        actual = read_resource(iam, resource_type, spec)
        if actual is None:
            return resource_type.id_of(resource_type.create(iam, spec))
        if not has_stack_tags(actual["Tags"], spec.suffix):
            raise Blocked(f"{spec.aws_name} stands, and is not of this stack.", "Rename it, or take another suffix.")
        changed = {one.top: spec.props[one.top] for one in differences(resource_type, spec.props, actual, None)}
        if changed:
            resource_type.update(iam, replace(spec, id=resource_type.id_of(actual)), changed)
        return resource_type.id_of(actual)

    return call_with_retry(session, once, ALREADY_EXISTS | resource_type.retryable_codes["create"])


def read_resource(iam: IAM, resource_type: ResourceType, spec: ResourceSpec) -> JsonObject | None:
    """Return the resource as AWS describes it; None if it does not exist."""
    try:
        return resource_type.read(iam, spec)
    except ClientError as error:
        if code_of(error) in resource_type.not_found_codes:
            return None
        raise


def delete_until_gone(session: Session, call: Callable[[], Any], absent: Codes) -> None:
    """Make a call that removes something, with retries; a code in `absent` means that it is gone already."""

    def once() -> None:
        try:
            call()
        except ClientError as error:
            if code_of(error) not in absent:
                raise

    call_with_retry(session, once)


def call_with_retry(session: Session, call: Callable[[], T], cures: Codes = NO_CODES) -> T:
    """Make a call that may be made twice, with retries; `cures` are refusals that time cures."""
    timeout = EMULATOR_TIMEOUT_SECONDS if session.aws.endpoint else _PROPAGATION_TIME
    retry = RETRY_TRANSIENT | retry_if_exception(lambda error: matches_codes(error, cures))
    return RetryPolicy(session.clock, stop_after_delay(timeout), retry).call(call)
