"""Which Aurora PostgreSQL version to run, whether it is available, and which capacity it supports."""

from __future__ import annotations

from functools import partial

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Blocked
from provisioner.resources.data_sources import ENGINE, INSTANCE_CLASS, orderable_options, read_cluster
from provisioner.service_clients import RDS
from provisioner.settings.postgres import major_of

# The AWS operations that this module calls, as in data_sources.py.
CALLS = {"rds": ("DescribeDBEngineVersions",)}
# Every version that can be created supports this range of capacity units. Whether it supports less or more
# depends on the version (Aurora user guide, aurora-serverless-v2.how-it-works).
_MIN_ACU_EVERYWHERE, _MAX_ACU_EVERYWHERE = 0.5, 128


def choose_engine_version(clients: Clients, suffix: str, desired: str) -> dict[str, str]:
    """Return the version to run and its parameter group family.

    A running cluster keeps its version, which AWS upgrades, unless `desired` names a later version of the same
    major version.

    Args:
        clients: The connection to AWS.
        suffix: The suffix of the stack.
        desired: A major version such as "16", or an exact one such as "16.8".

    Raises:
        Blocked: The version is not offered here, or the running cluster cannot be upgraded to it.

    """
    running = read_cluster(clients, suffix)
    if running:
        return _keep_or_upgrade(clients, str(running["EngineVersion"]), desired)
    families = _parameter_group_families(clients, desired)
    offered = {option["EngineVersion"] for option in orderable_options(clients)} & families.keys() or families
    available = sorted((version for version in offered if _is_plain_version(version)), key=_version_numbers)
    same_major = [version for version in available if major_of(version) == major_of(desired)]
    matching = [version for version in same_major if "." not in desired or version == desired]
    if not matching:
        others = same_major or available
        hint = f"Choose one of them: `--set database.version={others[-1]}`." if others else "Choose another region."
        raise Blocked(
            f"Aurora PostgreSQL {desired} cannot be created as {INSTANCE_CLASS} in {clients.aws.region}; there are "
            f"{', '.join(others) or 'none'}.",
            hint,
        )
    return {"EngineVersion": matching[-1], "DBParameterGroupFamily": families[matching[-1]]}


def _keep_or_upgrade(clients: Clients, running: str, desired: str) -> dict[str, str]:
    """Return the running version, or `desired` if it is later; raise Blocked if that upgrade is impossible."""
    if major_of(running) != major_of(desired):
        raise Blocked(
            f"The database runs version {running}; {desired} is another major version, and moving to it "
            "is not done in place.",
            f"Keep `database.version={major_of(running)}`, or bring up a second stack with "
            f"{desired} and move the data.",
        )
    if "." not in desired or _version_numbers(desired) <= _version_numbers(running):
        return {"EngineVersion": running, "DBParameterGroupFamily": f"{ENGINE}{major_of(running)}"}
    targets = _upgrade_targets(clients, running)
    if targets and desired not in targets:
        raise Blocked(
            f"Aurora PostgreSQL {running} cannot be upgraded to {desired}; it can be upgraded to {', '.join(targets)}.",
            f"Choose one of them: `--set database.version={targets[-1]}`.",
        )
    return {"EngineVersion": desired, "DBParameterGroupFamily": f"{ENGINE}{major_of(desired)}"}


def check_capacity(clients: Clients, version: str, min_acu: float, max_acu: float) -> None:
    """Raise Blocked if the version does not support this range of capacity units (ACU)."""
    if min_acu >= _MIN_ACU_EVERYWHERE and max_acu <= _MAX_ACU_EVERYWHERE:
        return
    descriptions = _describe_versions(clients, version)
    bounds = descriptions[0].get("ServerlessV2FeaturesSupport", {}) if descriptions else {}
    lowest = bounds.get("MinCapacity", _MIN_ACU_EVERYWHERE)
    highest = bounds.get("MaxCapacity", _MAX_ACU_EVERYWHERE)
    if descriptions and (min_acu < lowest or max_acu > highest):
        raise Blocked(
            f"Aurora PostgreSQL {version} runs with {lowest:g} to {highest:g} ACU, not with {min_acu:g} "
            f"to {max_acu:g}.",
            f"Say `--set database.min_acu={min(max(min_acu, lowest), highest):g} "
            f"--set database.max_acu={max(min(max_acu, highest), lowest):g}`, or a later `database.version`.",
        )


def _upgrade_targets(clients: Clients, running: str) -> list[str]:
    """Return the minor versions that AWS can upgrade `running` to, in order; none where AWS names none."""
    targets = {
        target["EngineVersion"]
        for description in _describe_versions(clients, running)
        for target in description.get("ValidUpgradeTarget", [])
    }
    return sorted((target for target in targets if major_of(target) == major_of(running)), key=_version_numbers)


def _parameter_group_families(clients: Clients, desired: str) -> dict[str, str]:
    """Return the parameter group family of each version that AWS offers.

    If an emulator does not know the call, assume that it has the version that was asked for.
    """
    descriptions = _describe_versions(clients)
    if descriptions:
        return {entry["EngineVersion"]: entry["DBParameterGroupFamily"] for entry in descriptions}
    return {desired if "." in desired else f"{desired}.10": f"{ENGINE}{major_of(desired)}"}


def _describe_versions(clients: Clients, version: str = "") -> list[JsonObject]:
    """Return what AWS says of all versions, or of one; nothing where an emulator does not know the call."""
    request: JsonObject = {"EngineVersion": version} if version else {}
    no_versions: JsonObject = {"DBEngineVersions": []}
    describe = partial(clients.client(RDS).describe_db_engine_versions, Engine=ENGINE, **request)
    reply = default_if_unsupported(describe, no_versions) if clients.aws.endpoint else describe()
    return list(reply["DBEngineVersions"])


def _is_plain_version(version: str) -> bool:
    """Return whether a version is of the form 16.8; others, such as 16.8-limitless, are never chosen."""
    return all(part.isdigit() for part in version.split(".")) and version.count(".") == 1


def _version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to sort by."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
