"""Which version of Aurora PostgreSQL is meant, whether it can be had, and what capacity it can run with."""

from __future__ import annotations

from typing import Any

from provisioner.engine.clients import Clients
from provisioner.engine.faults import unless_unknown
from provisioner.errors import Blocked
from provisioner.kinds.facts import CLASS, ENGINE, orderable, running_cluster

# What is asked here, as in facts.py.
CALLS = {"rds": ("DescribeDBEngineVersions",)}
# What every version that can be created runs with; less and more depend on the version
# (Aurora user guide, aurora-serverless-v2.how-it-works).
_LEAST_EVERYWHERE, _MOST_EVERYWHERE = 0.5, 128


def engine(clients: Clients, suffix: str, wanted: str) -> dict[str, str]:
    """The version to run and its parameter-group family.

    A cluster that runs keeps its version, which AWS upgrades, unless a later one of its major version is
    wanted by name.
    """
    running = running_cluster(clients, suffix)
    if running:
        return _later(clients, str(running["EngineVersion"]), wanted)
    families = _families(clients, wanted)
    offered = {option["EngineVersion"] for option in orderable(clients)} & families.keys() or families
    plain = sorted((one for one in offered if _is_plain(one)), key=_numbers)
    fitting = [one for one in plain if one == wanted or ("." not in wanted and major(one) == wanted)]
    if not fitting:
        near = [one for one in plain if major(one) == major(wanted)] or plain
        raise Blocked(
            f"Aurora PostgreSQL {wanted} cannot be created as {CLASS} in {clients.aws.region}; there are "
            f"{', '.join(near) or 'none'}.",
            f"Choose one of them: `--set database.version={near[-1]}`." if near else "Choose another region.",
        )
    return {"EngineVersion": fitting[-1], "DBParameterGroupFamily": families[fitting[-1]]}


def _later(clients: Clients, running: str, wanted: str) -> dict[str, str]:
    """The running version, or the later one of the same major version that is named."""
    if major(running) != major(wanted):
        raise Blocked(
            f"The database runs version {running}; {wanted} is another major version, and moving to it "
            "is not done in place.",
            f"Keep `database.version={major(running)}`, or bring up a second stack with {wanted} and move "
            "the data.",
        )
    if "." not in wanted or _numbers(wanted) <= _numbers(running):
        return {"EngineVersion": running, "DBParameterGroupFamily": f"{ENGINE}{major(running)}"}
    targets = _targets(clients, running)
    if targets and wanted not in targets:
        raise Blocked(
            f"Aurora PostgreSQL {running} cannot be upgraded to {wanted}; it can to {', '.join(targets)}.",
            f"Choose one of them: `--set database.version={targets[-1]}`.",
        )
    return {"EngineVersion": wanted, "DBParameterGroupFamily": f"{ENGINE}{major(wanted)}"}


def check_capacity(clients: Clients, version: str, least: float, most: float) -> None:
    """Blocked where the version cannot run with so few or so many capacity units."""
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
            f"Aurora PostgreSQL {version} runs with {fewest:g} to {largest:g} ACU, not with {least:g} to "
            f"{most:g}.",
            f"Say `--set database.min_acu={min(max(least, fewest), largest):g} "
            f"--set database.max_acu={max(min(most, largest), fewest):g}`, or a later `database.version`.",
        )


def _targets(clients: Clients, running: str) -> list[str]:
    """To which versions of the same major one AWS upgrades; empty where it does not say."""
    listed = [target for one in _told(clients, running) for target in one.get("ValidUpgradeTarget", [])]
    minor = {one["EngineVersion"] for one in listed if major(one["EngineVersion"]) == major(running)}
    return sorted(minor, key=_numbers)


def _families(clients: Clients, wanted: str) -> dict[str, str]:
    """Each version that AWS has, and its parameter-group family.

    An emulator that does not know the call is taken to have what is asked for.
    """
    found = _told(clients)
    if found:
        return {one["EngineVersion"]: one["DBParameterGroupFamily"] for one in found}
    return {wanted if "." in wanted else f"{wanted}.10": f"{ENGINE}{major(wanted)}"}


def _told(clients: Clients, version: str = "") -> list[dict[str, Any]]:
    """What AWS says of all versions or of one; empty where an emulator does not know the call."""
    asked = {"EngineVersion": version} if version else {}
    nothing: dict[str, Any] = {"DBEngineVersions": []}

    def ask() -> dict[str, Any]:
        return dict(clients.client("rds").describe_db_engine_versions(Engine=ENGINE, **asked))

    found = unless_unknown(ask, nothing) if clients.aws.endpoint else ask()
    return list(found["DBEngineVersions"])


def major(version: str) -> str:
    """The major version of an exact one."""
    return version.split(".", 1)[0]


def _is_plain(version: str) -> bool:
    return all(part.isdigit() for part in version.split(".")) and version.count(".") == 1


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
