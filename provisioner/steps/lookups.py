"""Values that are looked up in AWS, or chosen once, before a stack can be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.references import Ref, Unknown
from provisioner.resources.data_sources import ENGINE
from provisioner.settings.overrides import ServiceOverrides


@dataclass(frozen=True)
class StackLookups:
    """The values that were looked up, or chosen once for the life of the stack."""

    account: Any
    partition: Any
    zones: tuple[Any, ...]
    engine: Mapping[str, Any]
    master_password: str
    created_as: str
    # By service, what `deploy` and `scale` chose in place of the settings.
    overrides: Mapping[str, ServiceOverrides] = field(default_factory=dict)
    # The priority of the listener rule of each prefix, which the prefix keeps.
    priorities: Mapping[str, int] = field(default_factory=dict)
    # The id of the prefix list with CloudFront's addresses; "" if it is not needed.
    edge_prefix_list_id: Any = ""
    # The ECR repositories (with registry) that a pull-through cache rule fills.
    pull_through_repositories: frozenset[str] = frozenset()
    # The major version of the database that AWS upgraded by itself; "" if it did not.
    moved_from: str = ""
    # How many readers the database has, and the stack's domain as `existing_domain` returns it, if only AWS knows.
    readers: int = 0
    domain: Mapping[str, str] = field(default_factory=dict)
    # The same values as the state records them.
    recorded: Mapping[str, Any] = field(default_factory=dict)


# The values that a state keeps, with the type of each and the type inside it.
_STORED_TYPES: Mapping[str, tuple[type, type]] = {
    "zones": (list, str),
    "engine": (dict, str),
    "version": (str, str),
    "master_password": (str, str),
    "edge_addresses": (str, str),
    "priorities": (dict, int),
    "born": (str, str),
    "filled": (list, str),
    "readers": (int, int),
    "domain": (dict, str),
}


def are_valid_lookups(stored: Mapping[str, Any]) -> bool:
    """Return whether the values that a state keeps have the right types; unknown names are accepted."""
    return all(_has_types(stored[name], *types) for name, types in _STORED_TYPES.items() if name in stored)


def _has_types(value: Any, outer: type, inner: type) -> bool:
    """Return whether a value, and all values in it, have these types."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, outer) and all(isinstance(member, inner) for member in members)


def offline_lookups(zone_count: int, version: str) -> StackLookups:
    """Return the values without asking AWS: those that follow from the settings, and the rest unknown.

    `zone_count` is the number of zones, `version` the database version of the settings.
    """
    return StackLookups(
        account=_unknown("account"),
        partition="aws",
        zones=tuple(_unknown(f"zone {index + 1}") for index in range(zone_count)),
        engine={
            "EngineVersion": version if "." in version else _unknown("EngineVersion"),
            "DBParameterGroupFamily": f"{ENGINE}{version.split('.', maxsplit=1)[0]}",
        },
        master_password="rds",  # noqa: S106 - who holds it, not what it is
        created_as="",
        edge_prefix_list_id=_unknown("CloudFront's prefix list"),
    )


def _unknown(name: str) -> Unknown:
    """Return the placeholder for a value that only AWS knows."""
    return Unknown(Ref("fact", name))
