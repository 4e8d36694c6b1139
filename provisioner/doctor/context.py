"""The stack that `doctor` checks, found by names and tags, so that a lost state costs only one check."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.names import PROJECT, name_of
from provisioner.resources.ec2.base import Filters, equals_filters
from state.stack_state import StackState


@dataclass(frozen=True)
class DoctorContext:
    """The stack to check: its suffix, its clients, the wall-clock second, and its state.

    The clients make equal reads only once.
    """

    suffix: str
    clients: Clients
    now: float
    # The state, if there is one. Only the check of each recorded resource cannot do without it.
    state: StackState | None = None

    @property
    def region(self) -> str:
        """The region of the stack; only the edge is elsewhere."""
        return self.clients.aws.region

    def aws_name(self, noun: str) -> str:
        """Return the AWS name of a resource of which the stack has only one."""
        return name_of(noun, self.suffix)

    @property
    def tag_filters(self) -> Filters:
        """The EC2 filters for resources with the stack's tags."""
        return equals_filters({"tag:Project": PROJECT, "tag:Environment": self.suffix})


def default_on_codes(codes: Container[str], call: Callable[[], Any], default: Any = None) -> Any:
    """Return the answer of a read, or `default` if AWS refuses it with one of these codes."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) not in codes:
            raise
        return default
