"""Values that are chosen once for the life of a stack: zones, engine version, holder of the password."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.names import name_of
from provisioner.preflight import pull_rules
from provisioner.resources import data_sources as lookups
from provisioner.resources.cloudfront import existing_domain
from provisioner.resources.rds import engine_versions
from provisioner.settings import Settings
from provisioner.settings.overrides import with_overrides
from provisioner.settings.postgres import STANDARD_SUPPORT_ENDS, day_of, is_later_major, major_of
from provisioner.steps.alb_rules import assign_priorities
from provisioner.steps.lookups import StackLookups
from state.stack_state import StackState


def look_up(
    clients: Clients, suffix: str, settings: Settings, state: StackState, *, ending: bool = False
) -> StackLookups:
    """Return the values chosen for a stack: those in the state, and the missing ones, looked up now.

    The state is left as it is: the result holds what it has to record. For a stack that is `ending`, the
    recorded values stand, whatever the settings say now.
    """
    known = state.lookups
    with user_errors("looking at what the region offers"):
        zones = _zones(clients, suffix, settings, known, ending=ending)
        chosen: dict[str, Any] = {
            "zones": [*zones, *known.get("zones", [])[len(zones) :]],
            **_engine(clients, suffix, settings, known, ending=ending),
            "master_password": known.get("master_password") or lookups.master_password_keeper(clients, suffix),
            "edge_addresses": _edge_addresses(clients, settings, known, ending=ending),
            "priorities": assign_priorities(settings.prefixes, _standing(clients, suffix, known)),
            **({"filled": known["filled"]} if "filled" in known else {}),
            "born": known.get("born") or time.strftime("%Y%m%dt%H%M%S", time.gmtime()),
        }
        if not ending:
            capacity = (settings.database.min_acu, settings.database.max_acu)
            engine_versions.check_capacity(clients, chosen["engine"]["EngineVersion"], *capacity)
    return StackLookups(
        account=state.location.account,
        partition=state.location.partition,
        zones=tuple(zones),
        engine=chosen["engine"],
        master_password=chosen["master_password"],
        created_as=chosen["born"],
        priorities=chosen["priorities"],
        edge_addresses=chosen["edge_addresses"],
        readers=_readers(clients, suffix, known) if ending else 0,
        moved_from="" if ending else _moved_from(settings, known, chosen["engine"]),
        recorded=chosen,
    )


def with_pull_rules(clients: Clients, settings: Settings, lookups: StackLookups) -> StackLookups:
    """Return the lookups with the repositories that ECR fills by pull-through-cache rules."""
    images = [image for one in with_overrides(settings, lookups.overrides).workloads for image in one.images]
    known = lookups.recorded.get("filled", [])
    filled = pull_rules.filled_repositories(clients, images, lookups.account, known)
    recorded = {**lookups.recorded, "filled": filled} if filled or known else lookups.recorded
    return replace(lookups, pull_through_repositories=frozenset(filled), recorded=recorded)


def _standing(clients: Clients, suffix: str, known: dict[str, Any]) -> dict[str, int]:
    """Return the priorities of the listener rules by path prefix: from the state, else from AWS."""
    return known.get("priorities") or lookups.rule_priorities(clients, suffix)


def _readers(clients: Clients, suffix: str, known: dict[str, Any]) -> int:
    """Return the highest number among the database's readers in AWS; 0 with a state, which lists them."""
    if known:
        return 0
    with user_errors("looking at what stands of the database"):
        return lookups.highest_reader_number(clients, suffix)


def with_domain(clients: Clients, suffix: str, settings: Settings, state: StackState) -> Settings:
    """Return the settings for a teardown, with AWS's domain if neither they nor the state name one."""
    if settings.domain.names or state.resources:
        return settings
    with user_errors("looking for the stack's domain"):
        found = existing_domain(clients.client("cloudfront"), name_of("edge", suffix))
    return settings.model_copy(update={"domain": settings.domain.model_copy(update=found)})


def _zones(clients: Clients, suffix: str, settings: Settings, known: dict[str, Any], *, ending: bool) -> list[str]:
    """Return the stack's zones: those in use first, then new ones; for a teardown only those in use.

    Raises:
        Blocked: An instance of the database is in a zone that the stack would leave.

    """
    former = known.get("zones") or lookups.zones_in_use(clients, suffix)
    count = len(former) if ending and former else settings.network.zones
    lookups.check_zones_to_leave(clients, suffix, former[count:])
    return lookups.choose_zones(clients, count, former)


def _engine(
    clients: Clients, suffix: str, settings: Settings, known: dict[str, Any], *, ending: bool
) -> dict[str, Any]:
    """Return the version that is asked for, and the exact version and family that it resolved to.

    If the settings name no version, a stack keeps the one it was created with.
    """
    wanted, engine = settings.database.version, known.get("engine")
    if engine and ending:
        return {"version": known.get("version") or wanted, "engine": engine}
    running = _running(clients, suffix, settings, engine)
    if running and _follows(settings, engine, running, ending=ending):
        wanted = major_of(running)
    elif engine and (not settings.database.has_version or known.get("version") == wanted):
        return {"version": known.get("version") or wanted, "engine": engine}
    return {"version": wanted, "engine": engine_versions.choose_engine_version(clients, suffix, wanted)}


def _running(clients: Clients, suffix: str, settings: Settings, engine: dict[str, str] | None) -> str:
    """Return the version that the cluster runs; "" and no call if it cannot differ from the recorded one.

    It is asked for if no version is recorded, if extended support is off, or if the standard support of the
    recorded version has ended.
    """
    end = STANDARD_SUPPORT_ENDS.get(major_of(engine["EngineVersion"])) if engine else None
    is_over = end is not None and end < day_of(clients.clock.wall())
    if engine and settings.database.extended_support is not False and not is_over:
        return ""
    return str((lookups.read_cluster(clients, suffix) or {}).get("EngineVersion", ""))


def _follows(settings: Settings, engine: dict[str, str] | None, running: str, *, ending: bool) -> bool:
    """Return whether to use the running major version: either nobody named one, or AWS upgraded past it."""
    if engine is None:
        return ending or not settings.database.has_version
    if settings.database.has_version:
        return settings.database.extended_support is False and is_later_major(running, settings.database.version)
    return is_later_major(running, engine["EngineVersion"])


def describe_upgrade(before: str, version: str) -> str:
    """Return the note about a database that AWS upgraded to a later major version."""
    return (
        f"The database runs PostgreSQL {version}: AWS moved it on from {before}, whose standard support has "
        f"ended. Where the settings name {before}, set `database.version={major_of(version)}`."
    )


def _moved_from(settings: Settings, known: dict[str, Any], engine: dict[str, str]) -> str:
    """Return the major version from which AWS upgraded, if state or settings still have it; "" otherwise."""
    before = known["engine"]["EngineVersion"] if known.get("engine") else ""
    if settings.database.has_version and before:
        before = settings.database.version
    return major_of(before) if before and is_later_major(engine["EngineVersion"], before) else ""


def _edge_addresses(clients: Clients, settings: Settings, known: dict[str, Any], *, ending: bool) -> str:
    """Return the prefix list of CloudFront's addresses: recorded, or looked up if the settings need it."""
    found = str(known.get("edge_addresses", ""))
    if found or ending or not (settings.edge.guard == "require" or settings.edge.vpc_origin):
        return found
    return lookups.edge_prefix_list_id(clients)
