"""The errors of a state whose bucket does not exist: a mistyped name, or an emulator that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.aws.endpoints import custom_endpoint
from provisioner.errors import StateGone
from provisioner.names import PROGRAM
from state.errors import StateError

if TYPE_CHECKING:
    from provisioner.aws.connection import AwsConnection
    from provisioner.bucket.address import Bucket


def missing_bucket_error(bucket: Bucket, activity: str) -> StateError:
    """Return the error of a bucket that its store does not have; `activity` says in words what was tried.

    If AWS lacks the bucket, that says nothing about the stack: the name may be mistyped. An emulator that was
    started again is empty, and the stacks that it held are gone with the bucket: the error is StateGone.
    """
    local, emulator = bucket.aws.local, _emulator_endpoint(bucket.aws)
    if local:
        return StateGone(
            f"The local AWS at {local.endpoint}, started at {local.started}, has no bucket {bucket.name}: "
            "the states and stacks that an earlier one held ended with it.",
            recreate_hint(bucket.address, local=True),
        )
    if emulator:
        return StateGone(
            f"The emulator at {emulator} has no bucket {bucket.name}: one that was started again is empty, "
            "and the states and stacks that it held are gone.",
            recreate_hint(bucket.address),
        )
    options = f" --state-endpoint {bucket.endpoint}" if bucket.endpoint else ""
    return StateError(
        f"{activity}: there is no such bucket.",
        f"Look at the name: --state {bucket.address}{options}. If it is right, "
        f"`{PROGRAM} state init --state {bucket.address}{options}` makes the bucket.",
    )


def local_aws_ended_error(address: str) -> StateGone:
    """Return the error of a state in a bucket of local AWS, if no local AWS runs."""
    return StateGone(
        f"No local AWS runs: one that held the state {address} has ended, and its stacks with it.",
        recreate_hint(address, local=True),
    )


def recreate_hint(address: str, *, local: bool = False) -> str:
    """Return a hint that says how a state and a stack in it come back in an empty emulator."""
    options = f"{address}{' --local' if local else ''}"
    return (
        f"`{PROGRAM} state init --state {options}` makes the bucket; then `{PROGRAM} apply --suffix NAME "
        f"--state {options}` brings the stack up again. Look at the bucket's name first: it may be mistyped."
    )


def _emulator_endpoint(connection: AwsConnection) -> str:
    """Return the endpoint of the emulator that holds both the stack and the state; "" if there is none."""
    state_endpoint, stack_endpoint = (
        custom_endpoint(str(connection.client(service).meta.endpoint_url)) for service in ("s3", "ec2")
    )
    return state_endpoint if state_endpoint == stack_endpoint else ""
