"""A stack that stands is changed by its settings, without what is kept being touched."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.rds.aurora import DBCluster
from provisioner.service_clients import RDS
from tests.support.account_inventory import client, inventory
from tests.support.fake_resources import as_client
from tests.support.live_stack import tags
from tests.support.user import User


def service(user: User) -> dict[str, Any]:
    """The ECS service."""
    ecs = client(user.box.endpoint, "ecs")
    found = ecs.describe_services(cluster="ml-api-cluster-a", services=["ml-api-service-a"])["services"]
    return dict(found[0])


@pytest.mark.slow
def test_another_image_is_a_new_revision_that_the_service_runs(user: User) -> None:
    user.apply("a")
    before = inventory(user.box.endpoint)

    user.apply("a", "--set", "image=public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine")

    task = client(user.box.endpoint, "ecs").describe_task_definition(taskDefinition=service(user)["taskDefinition"])[
        "taskDefinition"
    ]
    assert task["containerDefinitions"][0]["image"].endswith(":1.28-alpine")
    after = inventory(user.box.endpoint)
    assert len(after["task definition active"]) == 2
    assert after["task definition active"].keys() > before["task definition active"].keys()
    kept = {"vpc", "balancer", "target group", "rule", "db cluster", "distribution", "role policy"}
    assert {type_name for type_name in kept if after[type_name] != before[type_name]} == set()


@pytest.mark.slow
def test_a_prefix_more_and_one_less(user: User) -> None:
    def paths() -> set[str]:
        rules = inventory(user.box.endpoint)["rule"].values()
        return {rule["Conditions"][0]["Values"][0] for rule in map(json.loads, rules) if not rule["IsDefault"]}

    pages = {"/errors/403.html", "/errors/404.html"}
    user.apply("a")
    assert paths() == {"/api/v1/*", "/api/v2/*"} | pages

    user.apply("a", "--set", 'api.prefixes=["/api/v2/*", "/api/v3/*"]')
    assert paths() == {"/api/v2/*", "/api/v3/*"} | pages


@pytest.mark.slow
def test_another_port_opens_the_new_one_and_closes_the_old(user: User) -> None:
    user.apply("a")

    user.apply("a", "--set", "container.port=9090")

    rules = map(json.loads, inventory(user.box.endpoint)["group rule"].values())
    ports = {rule["FromPort"] for rule in rules if "ml-api" in json.dumps(rule.get("Tags", []))}
    assert ports == {80, 443, 5432, 9090}
    assert service(user)["loadBalancers"][0]["containerPort"] == 9090


@pytest.mark.slow
def test_settings_of_every_piece_reach_aws_on_a_standing_stack(user: User) -> None:
    user.apply("a")
    sets: tuple[str, ...] = (
        "service.maximum=20",
        "service.requests=500",
        "database.max_acu=4",
        "edge.error_pages=false",
    )
    sets += ('tags={"Owner": "ada"}', "database.backup_days=14", "edge.price_class=PriceClass_All")

    user.apply("a", *(part for one in sets for part in ("--set", one)))

    endpoint = user.box.endpoint
    scaling = client(endpoint, "application-autoscaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]["MaxCapacity"] == 20
    (cluster,) = client(endpoint, "rds").describe_db_clusters()["DBClusters"]
    assert cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 4
    assert cluster["BackupRetentionPeriod"] == 14
    assert tags(cluster["TagList"])["Owner"] == "ada"
    (line,) = inventory(endpoint)["distribution"].values()
    distribution = json.loads(line)["Distribution"]["DistributionConfig"]
    assert distribution["PriceClass"] == "PriceClass_All"
    assert not any(one.get("ResponsePagePath") for one in distribution["CustomErrorResponses"]["Items"])
    assert {one["ErrorCachingMinTTL"] for one in distribution["CustomErrorResponses"]["Items"]} == {0}


@pytest.mark.slow
def test_a_zone_less_is_left_by_all_that_was_in_it(user: User) -> None:
    user.apply("a")

    user.apply("a", "--set", "network.zones=2")

    found = inventory(user.box.endpoint)
    ours = [one for one in map(json.loads, found["subnet"].values()) if not one["DefaultForAz"]]
    assert len(ours) == 4
    assert len(json.loads(next(iter(found["balancer"].values())))["AvailabilityZones"]) == 2


@pytest.mark.slow
def test_the_number_of_tasks_belongs_to_autoscaling(user: User) -> None:
    user.apply("a")
    client(user.box.endpoint, "ecs").update_service(
        cluster="ml-api-cluster-a", service="ml-api-service-a", desiredCount=5
    )

    assert "desiredCount" not in user.plan("a")
    user.apply("a")
    assert service(user)["desiredCount"] == 5


@pytest.mark.parametrize(
    "one", ["database.username=other_admin", "database.name=other"], ids=lambda one: one.split("=")[0]
)
def test_a_change_that_would_lose_the_data_is_refused_before_the_first_call(user: User, one: str) -> None:
    user.apply("a")
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a", "--set", one)

    assert ran.code == 5
    assert "would lose" in ran.err
    assert user.tries(mark) == []


def test_a_refusal_of_our_own_thing_does_not_speak_of_somebody_else(user: User) -> None:
    user.apply("a")

    ran = user.run("apply", "--yes", "--suffix", "a", "--set", "database.name=other")

    assert "somebody else" not in ran.err


@pytest.mark.slow
def test_a_protected_stack_is_not_torn_down_and_one_can_take_the_protection_off(user: User) -> None:
    user.apply("a", "--set", "database.deletion_protection=true")
    mark = user.mark()

    refused = user.run("teardown", "--yes", "--suffix", "a")

    assert refused.code == 5
    assert "--unprotect" in refused.err
    assert "aurora: " in refused.err
    assert user.tries(mark) == []
    user.apply("a", "--set", "database.deletion_protection=false")
    user.teardown("a")


@pytest.mark.slow
def test_protected_data_wants_to_be_unprotected_and_leaves_a_last_snapshot(user: User) -> None:
    user.apply("a", "--set", "protect_data=true")
    endpoint = user.box.endpoint
    balancer = client(endpoint, "elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    told = client(endpoint, "elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
    assert {"Key": "deletion_protection.enabled", "Value": "true"} in told

    refused = user.run("teardown", "--yes", "--suffix", "a")
    assert refused.code == 5
    assert all(name in refused.err for name in ("alb-attributes", "aurora", "sessions"))

    user.teardown("a", "--unprotect")
    kept = client(endpoint, "rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [one["SnapshotType"] for one in kept] == ["manual"]


def test_a_protection_that_the_ledger_does_not_know_of_stops_a_teardown_as_well(user: User) -> None:
    user.apply("a")
    client(user.box.endpoint, "rds").modify_db_cluster(DBClusterIdentifier="ml-api-aurora-a", DeletionProtection=True)
    mark = user.mark()

    refused = user.run("teardown", "--yes", "--suffix", "a")

    assert refused.code == 5, refused.err
    assert user.tries(mark) == []


def test_a_protection_that_may_not_be_taken_off_leaves_the_stack_as_it_is(user: User) -> None:
    user.apply("a")
    rds = client(user.box.endpoint, "rds")
    rds.modify_db_cluster(DBClusterIdentifier="ml-api-aurora-a", DeletionProtection=True)
    user.box.faults({"operation": "rds:ModifyDBCluster", "fault": "access_denied"})
    mark = user.mark()

    denied = user.run("teardown", "--yes", "--suffix", "a", "--unprotect")

    assert denied.code == 4, denied.err
    assert "Give these credentials the right rds:ModifyDBCluster" in denied.err
    assert "Not touched: " in denied.err
    assert user.tries(mark) == ["iam:TagRole", "rds:ModifyDBCluster", "iam:UntagRole"]
    user.teardown("a", "--unprotect")


def test_what_is_protected_no_longer_is_named_where_the_next_one_is_still(user: User) -> None:
    user.apply("a")
    client(user.box.endpoint, "rds").modify_db_cluster(DBClusterIdentifier="ml-api-aurora-a", DeletionProtection=True)
    client(user.box.endpoint, "dynamodb").update_table(TableName="ml-api-sessions-a", DeletionProtectionEnabled=True)
    user.box.faults({"operation": "dynamodb:UpdateTable", "fault": "access_denied"})

    denied = user.run("teardown", "--yes", "--suffix", "a", "--unprotect")

    assert denied.code == 4, denied.err
    assert "No longer protected: aurora; " in denied.err
    untouched = denied.err.partition("Not touched: ")[2].splitlines()[0]
    assert "aurora" not in untouched.strip(".").split(", ")
    user.teardown("a", "--unprotect")


def test_what_aws_has_left_and_may_not_be_swept_up_is_named(user: User) -> None:
    left = "ecs:DeleteTaskDefinitions"
    user.apply("a")
    user.box.faults({"operation": left, "fault": "access_denied"})

    denied = user.run("teardown", "--yes", "--suffix", "a")

    assert denied.code == 4, denied.err
    assert f"Give these credentials the right {left}" in denied.err
    user.teardown("a")


@pytest.mark.slow
def test_a_final_snapshot_outlives_the_stack_when_it_is_wanted(user: User) -> None:
    user.apply("a", "--set", "database.final_snapshot=true")

    user.teardown("a")

    found = inventory(user.box.endpoint)
    assert len(found["db snapshot"]) == 1
    assert found["db cluster"] == {}


class OfRds:
    """A client of RDS: of its one cluster a last snapshot has been taken before."""

    batch_scope = SimpleNamespace(batch=lambda own, *_, **__: [own])

    def __init__(self) -> None:
        self.asked: list[str] = []

    def describe_db_clusters(self, **_: Any) -> dict[str, Any]:
        """The cluster."""
        told = {"Status": "available", "DbClusterResourceId": "cluster-VHQZ6BE8VFQHJBRX"}
        return {"DBClusters": [{"DBClusterIdentifier": "a", **told}]}

    def delete_db_cluster(self, **asked: Any) -> None:
        """Refused the first time."""
        self.asked.append(asked["FinalDBSnapshotIdentifier"])
        if len(self.asked) == 1:
            raise ClientError({"Error": {"Code": "DBClusterSnapshotAlreadyExistsFault"}}, "DeleteDBCluster")


def test_a_second_end_takes_a_snapshot_of_its_own_name() -> None:
    rds, name = OfRds(), "ml-api-aurora-a-final-1"
    props = {"DBClusterIdentifier": "a", "SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": name}

    DBCluster().delete(as_client(RDS, rds), ResourceSpec("aurora", "a", "a", props, id="a"))

    assert rds.asked == [name, f"{name}-vfqhjbrx"]


@pytest.mark.slow
def test_what_ended_once_and_came_back_ends_again_with_a_snapshot(user: User) -> None:
    user.apply("a", "--set", "database.final_snapshot=true")
    rds, name = client(user.box.endpoint, "rds"), user.known("a")["entries"]["aurora"]["wanted"]
    rds.create_db_cluster_snapshot(
        DBClusterIdentifier=name["DBClusterIdentifier"],
        DBClusterSnapshotIdentifier=name["FinalDBSnapshotIdentifier"],
    )

    user.teardown("a")

    kept = [one for one in inventory(user.box.endpoint)["db snapshot"] if "-final-" in one]
    assert len(kept) == 2


@pytest.mark.slow
def test_an_exact_version_is_taken_as_it_is_and_no_upgrade_is_undone(user: User) -> None:
    offered = client(user.box.endpoint, "rds").describe_db_engine_versions(Engine="aurora-postgresql")
    versions = [one["EngineVersion"] for one in offered["DBEngineVersions"]]
    exact, newer = [version for version in versions if version.startswith("16.")][:2]

    user.apply("a", "--set", f"database.version={exact}")

    (cluster,) = client(user.box.endpoint, "rds").describe_db_clusters()["DBClusters"]
    assert cluster["EngineVersion"] == exact
    (group,) = inventory(user.box.endpoint)["db cluster parameters"].values()
    assert json.loads(group)["DBParameterGroupFamily"] == "aurora-postgresql16"
    assert user.plan("a", "--set", "database.version=16") == "No changes.\n"

    user.apply("a", "--set", f"database.version={newer}")
    (cluster,) = client(user.box.endpoint, "rds").describe_db_clusters()["DBClusters"]
    assert cluster["EngineVersion"] == newer
    assert user.plan("a", "--set", f"database.version={exact}") == "No changes.\n"
    refused = user.run("plan", "--suffix", "a", "--set", "database.version=16.99")
    assert (refused.code, newer in refused.err) == (5, True)

    # Somebody has moved it to the next major version: what it is, is said, and the rest follows.
    moved = next(version for version in versions if version.startswith("17."))
    client(user.box.endpoint, "rds").modify_db_cluster(
        DBClusterIdentifier="ml-api-aurora-a",
        EngineVersion=moved,
        AllowMajorVersionUpgrade=True,
        ApplyImmediately=True,
    )
    mark = user.mark()
    refused = user.run("apply", "--yes", "--suffix", "a", "--set", f"database.version={newer}")
    assert (refused.code, user.tries(mark)) == (5, [])
    assert f"it runs version {moved}, and no upgrade is undone: set `database.version=17`" in refused.err
    user.apply("a", "--set", "database.version=17")
    (group,) = inventory(user.box.endpoint)["db cluster parameters"].values()
    assert json.loads(group)["DBParameterGroupFamily"] == "aurora-postgresql17"
