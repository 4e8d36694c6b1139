"""The bucket of a state that is not there: its name is mistyped, or the emulator that held it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.endpoints import foreign
from provisioner.errors import LedgerError, StateGone
from provisioner.names import PROGRAM

if TYPE_CHECKING:
    from provisioner.aws import Aws
    from provisioner.bucket.address import Bucket


def no_bucket(bucket: Bucket, doing: str) -> LedgerError:
    """Return the error of a bucket that its store does not have.

    A bucket that real AWS lacks says nothing about the stack: its name may be mistyped. An emulator that was
    started anew is empty, and the stacks that it held are gone with the bucket: StateGone.
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
    return LedgerError(
        f"{doing}: there is no such bucket.",
        f"Look at the name: --state {bucket.address}{where}. If it is right, "
        f"`{PROGRAM} state init --state {bucket.address}{where}` makes the bucket.",
    )


def none_runs(address: str) -> StateGone:
    """Return the error of a state in a bucket of the local AWS, where none runs."""
    return StateGone(
        f"No local AWS runs: one that held the state {address} has ended, and its stacks with it.",
        remake(address, local=True),
    )


def remake(address: str, *, local: bool = False) -> str:
    """Say how a state, and a stack that it tells of, come back in an emulator that is empty."""
    words = f"--state {address}{' --local' if local else ''}"
    return (
        f"`{PROGRAM} state init {words}` makes the bucket; then `{PROGRAM} apply --suffix NAME {words}` "
        "brings the stack up anew. Look at the bucket's name first: it may be mistyped."
    )


def _emulator(aws: Aws) -> str:
    """The endpoint of the emulator that has the stack as well as the state; "" where there is none."""
    stores, stands = (foreign(str(aws.client(one).meta.endpoint_url)) for one in ("s3", "ec2"))
    return stores if stores == stands else ""
