"""The errors of a state whose bucket does not exist: a mistyped name, or an emulator that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.aws.endpoints import foreign
from provisioner.errors import StateGone
from provisioner.names import PROGRAM
from state.errors import StateError

if TYPE_CHECKING:
    from provisioner.aws.connection import AwsConnection
    from provisioner.bucket.address import Bucket


def no_bucket(bucket: Bucket, doing: str) -> StateError:
    """Return the error of a bucket that its store does not have; `doing` says in words what was tried.

    If AWS lacks the bucket, that says nothing about the stack: the name may be mistyped. An emulator that was
    started anew is empty, and the stacks that it held are gone with the bucket: the error is StateGone.
    """
    local, emulator = bucket.aws.local, _emulator(bucket.aws)
    if local:
        return StateGone(
            f"The local AWS at {local.endpoint}, started at {local.started}, has no bucket {bucket.name}: "
            "the states and stacks that an earlier one held ended with it.",
            remake(bucket.address, local=True),
        )
    if emulator:
        return StateGone(
            f"The emulator at {emulator} has no bucket {bucket.name}: one that was started anew is empty, "
            "and the states and stacks that it held are gone.",
            remake(bucket.address),
        )
    where = f" --state-endpoint {bucket.endpoint}" if bucket.endpoint else ""
    return StateError(
        f"{doing}: there is no such bucket.",
        f"Look at the name: --state {bucket.address}{where}. If it is right, "
        f"`{PROGRAM} state init --state {bucket.address}{where}` makes the bucket.",
    )


def none_runs(address: str) -> StateGone:
    """Return the error of a state in a bucket of local AWS, if no local AWS runs."""
    return StateGone(
        f"No local AWS runs: one that held the state {address} has ended, and its stacks with it.",
        remake(address, local=True),
    )


def remake(address: str, *, local: bool = False) -> str:
    """Return a hint that says how a state and a stack in it come back in an empty emulator."""
    where = f"{address}{' --local' if local else ''}"
    return (
        f"`{PROGRAM} state init --state {where}` makes the bucket; then `{PROGRAM} apply --suffix NAME "
        f"--state {where}` brings the stack up anew. Look at the bucket's name first: it may be mistyped."
    )


def _emulator(connection: AwsConnection) -> str:
    """Return the endpoint of the emulator that holds both the stack and the state; "" if there is none."""
    stores, stands = (foreign(str(connection.client(one).meta.endpoint_url)) for one in ("s3", "ec2"))
    return stores if stores == stands else ""
