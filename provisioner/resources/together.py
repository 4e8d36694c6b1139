"""Reads of several resources in one call, and of all their tags in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import beside
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import Codes
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.tagging import AMAZONS, bearers

# botocore resourcegroupstaggingapi TagFilter: 20 values.
_MOST = 20
Tags = Mapping[str, str] | None


def asked(
    together: list[str], own: str, ask: Callable[[list[str]], list[JsonObject]], absent: Codes
) -> list[JsonObject]:
    """Read the resources `together` in one call; read only `own` if one of the others does not exist.

    Args:
        together: The ids or names to read, `own` among them.
        own: The id or name that the caller needs.
        ask: The call that reads the resources of a list.
        absent: The error codes that mean that a resource does not exist.

    """
    try:
        return ask(together)
    except ClientError as error:
        if together == [own] or code_of(error) not in absent:
            raise
        return ask([own])


def tags_told(client: Any, spec: ResourceSpec, arn: str, ask: Callable[[], Tags]) -> Tags:
    """Return the tags of a resource, from the index of tags if that shows exactly the desired tags.

    During a read of many resources, one call reads the index (Resource Groups Tagging API) for the whole
    stack. The index lags, so if it shows other tags, `ask` reads them from the resource itself.
    """
    if client.shares_reads:
        suffixes = client.batch_scope.suffix_batch(spec.suffix, most=_MOST)
        told = bearers(beside(client, "resourcegroupstaggingapi"), suffixes).get(arn, {})
        if {key: value for key, value in told.items() if not key.startswith(AMAZONS)} == dict(spec.tags):
            return spec.tags
    return ask()
