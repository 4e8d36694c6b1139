"""The stack that is looked at, by its names and tags: a lost ledger takes away one check alone."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.faults import code_of
from provisioner.names import PROJECT, name_of
from state.document import Document


@dataclass(frozen=True)
class Patient:
    """A suffix, a way to AWS on which equal reads are made once, the wall-clock second, and the state."""

    suffix: str
    clients: Clients
    now: float
    # What the state file tells, where there is one: for the check of each resource in it alone.
    document: Document | None = None

    @property
    def region(self) -> str:
        """Where all but the edge is."""
        return self.clients.aws.region

    def named(self, noun: str) -> str:
        """The AWS name of a thing that comes once."""
        return name_of(noun, self.suffix)

    @property
    def tagged(self) -> list[dict[str, Any]]:
        """EC2's filters for what bears our tags."""
        tags = {"Project": PROJECT, "Environment": self.suffix}
        return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def unless(codes: Container[str], call: Callable[[], Any], otherwise: Any = None) -> Any:
    """The answer of a read; `otherwise` where AWS refuses it with one of these codes."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) not in codes:
            raise
        return otherwise
