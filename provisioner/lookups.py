"""Values that are chosen once for the life of a stack: zones, engine version, holder of the password."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.names import name_of
from provisioner.preflight import pull_rules
from provisioner.resources import data_sources
from provisioner.resources.cloudfront import existing_domain
from provisioner.resources.rds import engine_versions
from provisioner.service_clients import CloudFront
from provisioner.settings import Settings
from provisioner.settings.overrides import with_overrides
from provisioner.settings.postgres import STANDARD_SUPPORT_ENDS, day_of, is_later_major, major_of
from provisioner.steps.alb_rules import assign_priorities
from provisioner.steps.lookups import StackLookups
from state.stack_state import StackState


def look_up(
    clients: Clients, suffix: str, settings: Settings, state: StackState, *, is_teardown: bool = False
) -> StackLookups:
    """Return the values chosen for a stack: those in the state, and the missing ones, looked up now.

    The state is left as it is: `recorded` of the result is what it has to record. For a teardown, recorded values
    are used even if the settings name others now.

    Raises:
        Blocked: The region or the running database does not allow what the settings ask for.
        UsageError: DB_PASSWORD is set, and Aurora would refuse it.

    """
    recorded = state.lookups
    with user_errors("looking at what the region offers"):
        zones = _zones(clients, suffix, settings, recorded, is_teardown=is_teardown)
        values: dict[str, Any] = {
            "zones": [*zones, *recorded.get("zones", [])[len(zones) :]],
            **_engine(clients, suffix, settings, recorded, is_teardown=is_teardown),
            "master_password": recorded.get("master_password") or data_sources.master_password_keeper(clients, suffix),
            "edge_addresses": _edge_prefix_list_id(clients, settings, recorded, is_teardown=is_teardown),
            "priorities": assign_priorities(settings.prefixes, _rule_priorities(clients, suffix, recorded)),
            **({"filled": recorded["filled"]} if "filled" in recorded else {}),
            "born": recorded.get("born") or time.strftime("%Y%m%dt%H%M%S", time.gmtime()),
            **(_lost_values(clients, suffix, settings, state) if is_teardown else {}),
        }
        if not is_teardown:
            capacity = (settings.database.min_acu, settings.database.max_acu)
            engine_versions.check_capacity(clients, values["engine"]["EngineVersion"], *capacity)
    return StackLookups(
        account=state.location.account,
        partition=state.location.partition,
        zones=tuple(zones),
        engine=values["engine"],
        master_password=values["master_password"],
        created_as=values["born"],
        priorities=values["priorities"],
        edge_prefix_list_id=values["edge_addresses"],
        readers=values.get("readers", 0),
        domain=values.get("domain", {}),
        moved_from="" if is_teardown else _upgraded_from(settings, recorded, values["engine"]),
        recorded=values,
    )


def with_pull_rules(clients: Clients, settings: Settings, lookups: StackLookups) -> StackLookups:
    """Return the lookups with the repositories that ECR fills by pull-through-cache rules."""
    images = [image for workload in with_overrides(settings, lookups.overrides).workloads for image in workload.images]
    known = lookups.recorded.get("filled", [])
    filled = pull_rules.filled_repositories(clients, images, lookups.account, known)
    recorded = {**lookups.recorded, "filled": filled} if filled or known else lookups.recorded
    return replace(lookups, pull_through_repositories=frozenset(filled), recorded=recorded)


def _rule_priorities(clients: Clients, suffix: str, recorded: dict[str, Any]) -> dict[str, int]:
    """Return the priorities of the listener rules by path prefix: from the state, else from AWS."""
    return recorded.get("priorities") or data_sources.rule_priorities(clients, suffix)


def _lost_values(clients: Clients, suffix: str, settings: Settings, state: StackState) -> dict[str, Any]:
    """Return what only AWS knows of a stack whose state was lost, for its teardown: its readers and its domain.

    They are recorded before the first resource is adopted: a teardown that was interrupted goes on with them, when
    the state is no longer empty, and the distribution that has the domain may be gone.
    """
    values: dict[str, Any] = {name: state.lookups[name] for name in ("readers", "domain") if name in state.lookups}
    if not state.lookups:
        with user_errors("looking for the readers of the database"):
            values["readers"] = data_sources.highest_reader_number(clients, suffix)
    if not state.resources and not settings.domain.names and "domain" not in values:
        with user_errors("looking for the stack's domain"):
            values["domain"] = existing_domain(clients.client(CloudFront), name_of("edge", suffix))
    return values


def with_domain(settings: Settings, lookups: StackLookups) -> Settings:
    """Return the settings for a teardown, with AWS's domain if neither they nor the state name one."""
    domain = lookups.domain
    if settings.domain.names or not domain:
        return settings
    values = {**domain, "names": tuple(domain.get("names", "").split())}
    return settings.model_copy(update={"domain": settings.domain.model_copy(update=values)})


def _zones(
    clients: Clients, suffix: str, settings: Settings, recorded: dict[str, Any], *, is_teardown: bool
) -> list[str]:
    """Return the stack's zones: those in use first, then new ones; for a teardown only those in use.

    Raises:
        Blocked: An instance of the database is in a zone that the stack would leave.

    """
    zones_in_use = recorded.get("zones") or data_sources.zones_in_use(clients, suffix)
    count = len(zones_in_use) if is_teardown and zones_in_use else settings.network.zones
    data_sources.check_zones_to_leave(clients, suffix, zones_in_use[count:])
    return data_sources.choose_zones(clients, count, zones_in_use)


def _engine(
    clients: Clients, suffix: str, settings: Settings, recorded: dict[str, Any], *, is_teardown: bool
) -> dict[str, Any]:
    """Return the version that is asked for, and the exact version and family that it resolved to.

    If the settings name no version, a stack keeps the one it was created with.
    """
    version_wanted, engine = settings.database.version, recorded.get("engine")
    if engine and is_teardown:
        return {"version": recorded.get("version") or version_wanted, "engine": engine}
    running = _running_version(clients, suffix, settings, engine)
    if running and _follows_running_version(settings, engine, running, is_teardown=is_teardown):
        version_wanted = major_of(running)
    elif engine and (not settings.database.has_version or recorded.get("version") == version_wanted):
        return {"version": recorded.get("version") or version_wanted, "engine": engine}
    return {"version": version_wanted, "engine": engine_versions.choose_engine_version(clients, suffix, version_wanted)}


def _running_version(clients: Clients, suffix: str, settings: Settings, engine: dict[str, str] | None) -> str:
    """Return the version that the cluster runs; "" and no call if it cannot differ from the recorded one.

    It is asked for if no version is recorded, if extended support is off, or if the standard support of the
    recorded version has ended.
    """
    support_end = STANDARD_SUPPORT_ENDS.get(major_of(engine["EngineVersion"])) if engine else None
    support_has_ended = support_end is not None and support_end < day_of(clients.clock.wall())
    if engine and settings.database.extended_support is not False and not support_has_ended:
        return ""
    return str((data_sources.read_cluster(clients, suffix) or {}).get("EngineVersion", ""))


def _follows_running_version(
    settings: Settings, engine: dict[str, str] | None, running: str, *, is_teardown: bool
) -> bool:
    """Return whether to use the running major version: either nobody named one, or AWS upgraded past it."""
    if engine is None:
        return is_teardown or not settings.database.has_version
    if settings.database.has_version:
        return settings.database.extended_support is False and is_later_major(running, settings.database.version)
    return is_later_major(running, engine["EngineVersion"])


def describe_upgrade(previous_version: str, version: str) -> str:
    """Return the note about a database that AWS upgraded to a later major version."""
    return (
        f"The database runs PostgreSQL {version}: AWS moved it on from {previous_version}, whose standard support has "
        f"ended. Where the settings name {previous_version}, set `database.version={major_of(version)}`."
    )


def _upgraded_from(settings: Settings, recorded: dict[str, Any], engine: dict[str, str]) -> str:
    """Return the major version from which AWS upgraded, if state or settings still have it; "" otherwise."""
    previous_version = recorded["engine"]["EngineVersion"] if recorded.get("engine") else ""
    if settings.database.has_version and previous_version:
        previous_version = settings.database.version
    is_upgraded = bool(previous_version) and is_later_major(engine["EngineVersion"], previous_version)
    return major_of(previous_version) if is_upgraded else ""


def _edge_prefix_list_id(clients: Clients, settings: Settings, recorded: dict[str, Any], *, is_teardown: bool) -> str:
    """Return the id of the prefix list of CloudFront's addresses: recorded, or looked up if the settings need it."""
    recorded_id = str(recorded.get("edge_addresses", ""))
    is_needed = settings.edge.guard == "require" or settings.edge.vpc_origin
    if recorded_id or is_teardown or not is_needed:
        return recorded_id
    return data_sources.edge_prefix_list_id(clients)
