"""Which database version is meant, and with what capacity it can run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from provisioner.engine.calls.clients import Clients
from provisioner.errors import Blocked
from provisioner.names import owner_tags
from provisioner.resources.rds.engine_versions import check_capacity, choose_engine_version
from provisioner.resources.tags import pairs

SUFFIX = "prod"
OFFERED = ("14.20", "15.10", "15.9", "15.12", "15.12-limitless", "16.8")


class Rds:
    """Answers as RDS does, of the versions above; 15.10 runs where `running` says so."""

    def __init__(self, running: str = "", least: float = 0.0) -> None:
        self.running, self.least, self.calls = running, least, 0

    def describe_db_clusters(self, **_: str) -> dict[str, Any]:
        tags = pairs(owner_tags(SUFFIX))
        return {"DBClusters": [{"EngineVersion": self.running, "TagList": tags}] if self.running else []}

    def describe_db_engine_versions(self, Engine: str, EngineVersion: str = "") -> dict[str, Any]:  # noqa: N803
        self.calls += 1
        targets = [{"EngineVersion": one} for one in ("15.12", "15.11", "16.8")]
        found = [
            {
                "EngineVersion": one,
                "DBParameterGroupFamily": f"{Engine}{one.split('.')[0]}",
                "ServerlessV2FeaturesSupport": {"MinCapacity": self.least, "MaxCapacity": 256.0},
                "ValidUpgradeTarget": targets,
            }
            for one in OFFERED
            if EngineVersion in ("", one)
        ]
        return {"DBEngineVersions": found}

    def describe_orderable_db_instance_options(self, **_: str) -> dict[str, Any]:
        return {"OrderableDBInstanceOptions": [{"EngineVersion": one} for one in OFFERED]}


def aws(rds: Rds) -> Clients:
    place = SimpleNamespace(region="us-east-1", endpoint="", is_faithful=True)
    return cast("Clients", SimpleNamespace(client=lambda _service: rds, aws=place))


def chosen(wanted: str, running: str = "") -> str:
    return choose_engine_version(aws(Rds(running)), SUFFIX, wanted)["EngineVersion"]


@pytest.mark.parametrize(("wanted", "version"), [("15", "15.12"), ("15.9", "15.9"), ("14", "14.20")])
def test_a_new_cluster_gets_the_newest_of_a_major_version_or_the_exact_one(wanted: str, version: str) -> None:
    assert chosen(wanted) == version


def test_what_cannot_be_created_is_refused_with_what_can() -> None:
    with pytest.raises(Blocked, match=r"15\.9, 15\.10, 15\.12") as caught:
        chosen("15.4")

    assert "database.version=15.12" in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "version"), [("15", "15.10"), ("15.10", "15.10"), ("15.9", "15.10"), ("15.12", "15.12")]
)
def test_a_running_one_is_never_lowered_and_raised_only_by_name(wanted: str, version: str) -> None:
    assert chosen(wanted, running="15.10") == version


def test_a_running_one_is_raised_only_to_where_aws_raises_it() -> None:
    with pytest.raises(Blocked, match=r"upgraded to 15\.11, 15\.12"):
        chosen("15.13", running="15.10")


@pytest.mark.parametrize("wanted", ["16", "14", "16.8"])
def test_another_major_version_is_refused_with_the_way_out(wanted: str) -> None:
    with pytest.raises(Blocked, match="another major version") as caught:
        chosen(wanted, running="15.10")

    assert "second stack" in caught.value.hint


@pytest.mark.parametrize(("least", "most"), [(0, 2), (0.5, 256)])
def test_a_capacity_that_not_every_version_has_is_asked_for(least: float, most: float) -> None:
    rds = Rds()

    check_capacity(aws(rds), "15.12", least, most)

    assert rds.calls == 1


def test_a_usual_capacity_costs_no_call() -> None:
    rds = Rds()

    check_capacity(aws(rds), "15.12", 0.5, 128)

    assert rds.calls == 0


def test_a_version_that_cannot_pause_is_refused_with_what_it_can() -> None:
    with pytest.raises(Blocked, match=r"0\.5 to 256 ACU") as caught:
        check_capacity(aws(Rds(least=0.5)), "15.12", 0, 2)
    check_capacity(aws(Rds(least=0.5)), "15.12", 1, 200)

    assert "database.min_acu=0.5" in caught.value.hint
