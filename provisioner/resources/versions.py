"""Which Aurora PostgreSQL version to run, whether it is available, and which capacity it supports."""

from __future__ import annotations

from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.errors import Blocked
from provisioner.resources.data_sources import CLASS, ENGINE, orderable, running_cluster

# The AWS operations that this module calls, as in data_sources.py.
CALLS = {"rds": ("DescribeDBEngineVersions",)}
# Every version that can be created supports this range of capacity units. Whether it supports less or more
# depends on the version (Aurora user guide, aurora-serverless-v2.how-it-works).
_LEAST_EVERYWHERE, _MOST_EVERYWHERE = 0.5, 128


def engine(clients: Clients, suffix: str, desired: str) -> dict[str, str]:
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
    running = running_cluster(clients, suffix)
    if running:
        return _later(clients, str(running["EngineVersion"]), desired)
    families = _families(clients, desired)
    offered = {option["EngineVersion"] for option in orderable(clients)} & families.keys() or families
    plain = sorted((one for one in offered if _is_plain(one)), key=_numbers)
    fitting = [one for one in plain if one == desired or ("." not in desired and major(one) == desired)]
    if not fitting:
        near = [one for one in plain if major(one) == major(desired)] or plain
        raise Blocked(
            f"Aurora PostgreSQL {desired} cannot be created as {CLASS} in {clients.aws.region}; there are "
            f"{', '.join(near) or 'none'}.",
            f"Choose one of them: `--set database.version={near[-1]}`." if near else "Choose another region.",
        )
    return {"EngineVersion": fitting[-1], "DBParameterGroupFamily": families[fitting[-1]]}


def _later(clients: Clients, running: str, desired: str) -> dict[str, str]:
    """Return the running version, or `desired` if it is later; raise Blocked if that upgrade is impossible."""
    if major(running) != major(desired):
        raise Blocked(
            f"The database runs version {running}; {desired} is another major version, and moving to it "
            "is not done in place.",
            f"Keep `database.version={major(running)}`, or bring up a second stack with {desired} and move the data.",
        )
    if "." not in desired or _numbers(desired) <= _numbers(running):
        return {"EngineVersion": running, "DBParameterGroupFamily": f"{ENGINE}{major(running)}"}
    targets = _targets(clients, running)
    if targets and desired not in targets:
        raise Blocked(
            f"Aurora PostgreSQL {running} cannot be upgraded to {desired}; it can to {', '.join(targets)}.",
            f"Choose one of them: `--set database.version={targets[-1]}`.",
        )
    return {"EngineVersion": desired, "DBParameterGroupFamily": f"{ENGINE}{major(desired)}"}


def check_capacity(clients: Clients, version: str, least: float, most: float) -> None:
    """Raise Blocked if the version does not support this range of capacity units (ACU)."""
    if least >= _LEAST_EVERYWHERE and most <= _MOST_EVERYWHERE:
        return
    told = _told(clients, version)
    bounds = told[0].get("ServerlessV2FeaturesSupport", {}) if told else {}
    fewest, largest = (
        bounds.get("MinCapacity", _LEAST_EVERYWHERE),
        bounds.get("MaxCapacity", _MOST_EVERYWHERE),
    )
    if told and (least < fewest or most > largest):
        raise Blocked(
            f"Aurora PostgreSQL {version} runs with {fewest:g} to {largest:g} ACU, not with {least:g} to {most:g}.",
            f"Say `--set database.min_acu={min(max(least, fewest), largest):g} "
            f"--set database.max_acu={max(min(most, largest), fewest):g}`, or a later `database.version`.",
        )


def _targets(clients: Clients, running: str) -> list[str]:
    """Return the minor versions that AWS can upgrade `running` to, in order; none where AWS names none."""
    listed = [target for one in _told(clients, running) for target in one.get("ValidUpgradeTarget", [])]
    minor = {one["EngineVersion"] for one in listed if major(one["EngineVersion"]) == major(running)}
    return sorted(minor, key=_numbers)


def _families(clients: Clients, desired: str) -> dict[str, str]:
    """Return the parameter group family of each version that AWS offers.

    If an emulator does not know the call, assume that it has the version that was asked for.
    """
    found = _told(clients)
    if found:
        return {one["EngineVersion"]: one["DBParameterGroupFamily"] for one in found}
    return {desired if "." in desired else f"{desired}.10": f"{ENGINE}{major(desired)}"}


def _told(clients: Clients, version: str = "") -> list[dict[str, Any]]:
    """Return what AWS says of all versions, or of one; nothing where an emulator does not know the call."""
    asked = {"EngineVersion": version} if version else {}
    nothing: dict[str, Any] = {"DBEngineVersions": []}

    def ask() -> dict[str, Any]:
        return dict(clients.client("rds").describe_db_engine_versions(Engine=ENGINE, **asked))

    found = default_if_unsupported(ask, nothing) if clients.aws.endpoint else ask()
    return list(found["DBEngineVersions"])


def major(version: str) -> str:
    """Return the major version of an exact version."""
    return version.split(".", 1)[0]


def _is_plain(version: str) -> bool:
    """Return whether a version is of the form 16.8; others, such as 16.8-limitless, are never chosen."""
    return all(part.isdigit() for part in version.split(".")) and version.count(".") == 1


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
