"""What a stack must know before it can be declared; offline, the part that only AWS knows is left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.refs import Ref, Unknown
from provisioner.kinds.facts import ENGINE
from provisioner.settings.shipped import Shipped


@dataclass(frozen=True)
class Facts:
    """What was looked up, or chosen once for the life of the stack."""

    account: Any
    partition: Any
    zones: tuple[Any, ...]
    engine: Mapping[str, Any]
    master_password: str
    born: str
    # By service, what was shipped to it and takes the place of what is set.
    shipped: Mapping[str, Shipped] = field(default_factory=dict)
    # The priorities of the listener rules, by prefix: a prefix keeps the one it was given.
    priorities: Mapping[str, int] = field(default_factory=dict)
    # The prefix list of the addresses from which CloudFront calls; empty where none is asked for.
    edge_addresses: Any = ""
    # The repositories, by registry, that ECR fills from elsewhere by a pull-through-cache rule.
    filled: frozenset[str] = frozenset()
    # The major version of the database from which AWS moved it on by itself; empty where it did not.
    moved_from: str = ""
    # How many readers of the database stand, where only AWS still knows.
    readers: int = 0


# What a state keeps of them: of which type each is, and what is in it.
_KEPT: Mapping[str, tuple[type, type]] = {
    "zones": (list, str),
    "engine": (dict, str),
    "version": (str, str),
    "master_password": (str, str),
    "edge_addresses": (str, str),
    "priorities": (dict, int),
    "born": (str, str),
    "filled": (list, str),
}


def facts_fit(kept: Mapping[str, Any]) -> bool:
    """Whether what a state keeps of the facts is of their types; what a later version adds may be any."""
    return all(_fits(kept[name], *types) for name, types in _KEPT.items() if name in kept)


def _fits(value: Any, whole: type, inner: type) -> bool:
    listed = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, whole) and all(isinstance(one, inner) for one in listed)


def offline(count: int, version: str) -> Facts:
    """The facts while AWS is not asked: what follows from the settings, the rest unknown."""
    return Facts(
        account=_open("account"),
        partition="aws",
        zones=tuple(_open(f"zone {n + 1}") for n in range(count)),
        engine={
            "EngineVersion": version if "." in version else _open("EngineVersion"),
            "DBParameterGroupFamily": f"{ENGINE}{version.split('.', maxsplit=1)[0]}",
        },
        master_password="rds",  # noqa: S106 - who holds it, not what it is
        born="",
        edge_addresses=_open("CloudFront's prefix list"),
    )


def _open(what: str) -> Unknown:
    return Unknown(Ref("fact", what))
