"""Asking for several resources of a look in one call, and for their tags in one more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import beside
from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.traits import Codes
from provisioner.kinds.tagging import AMAZONS, bearers

# botocore resourcegroupstaggingapi TagFilter: 20 values.
_MOST = 20
Tags = Mapping[str, str] | None


def asked(together: list[str], own: str, ask: Callable[[list[str]], list[Doc]], absent: Codes) -> list[Doc]:
    """What AWS says of all of `together`; of `own` alone where one of the others is missing."""
    try:
        return ask(together)
    except ClientError as error:
        if together == [own] or code_of(error) not in absent:
            raise
        return ask([own])


def tags_told(client: Any, it: Item, arn: str, ask: Callable[[], Tags]) -> Tags:
    """The tags of a resource: those that are wanted, where the index of tags tells exactly them.

    One call reads the index for all of the stack. It lags, so anything else is asked of the resource.
    """
    if client.shares:
        suffixes = client.peers.stacks(it.suffix, most=_MOST)
        told = bearers(beside(client, "resourcegroupstaggingapi"), suffixes).get(arn, {})
        if {key: value for key, value in told.items() if not key.startswith(AMAZONS)} == dict(it.tags):
            return it.tags
    return ask()
