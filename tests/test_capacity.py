"""Where tasks run: the base on Fargate in each deployment, and a strategy that somebody changed is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.standing import SUFFIX, Standing

CLUSTER, SERVICE = f"ml-api-cluster-{SUFFIX}", f"ml-api-service-{SUFFIX}"
SPOT_ALONE = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


def capacity(stack: Standing) -> Counter[str]:
    """What the tasks run on, as ECS tells them."""
    ecs = stack.aws("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    listed = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return Counter(one["capacityProviderName"] for one in listed if one["lastStatus"] == "RUNNING")


def strategy(stack: Standing) -> list[dict[str, Any]]:
    return sorted(stack.service["capacityProviderStrategy"], key=lambda one: str(one["capacityProvider"]))


def test_what_a_deployment_replaces_runs_on_the_base_again(standing: Standing) -> None:
    for command in (("restart",), ("deploy", "--image", "public.ecr.aws/acme/model:2")):
        standing.desk.well(*command, "--yes", "--suffix", SUFFIX)
        assert capacity(standing) == {"FARGATE": 2}
        assert "2 on FARGATE\n" in standing.desk.well("status", "--suffix", SUFFIX).out
    standing.desk.well("rollback", "--yes", "--suffix", SUFFIX)


def test_tasks_beyond_the_base_are_spread_and_nothing_is_wrong_with_that(standing: Standing) -> None:
    ecs = standing.aws("ecs")
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=6)
    assert capacity(standing) == {"FARGATE": 3, "FARGATE_SPOT": 3}

    for command in ("status", "drift", "doctor"):
        standing.desk.well(command, "--suffix", SUFFIX)
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=2)


def test_a_strategy_that_somebody_changed_is_told_and_set_back(standing: Standing) -> None:
    ours = strategy(standing)
    standing.aws("ecs").update_service(
        cluster=CLUSTER, service=SERVICE, capacityProviderStrategy=SPOT_ALONE, forceNewDeployment=True
    )

    for command in ("plan", "drift"):
        ran = standing.desk.run(command, "--suffix", SUFFIX, "--detailed-exitcode")
        assert ran.code == 2, ran.out
        assert "capacityProviderStrategy" in ran.out
    standing.desk.apply(SUFFIX)
    assert strategy(standing) == ours
    assert capacity(standing) == {"FARGATE": 2}


def test_another_strategy_and_another_task_come_in_one_apply(standing: Standing) -> None:
    """ECS refuses a strategy that is not forced, also where a new task begins a deployment anyway."""
    both = ("--set", "service.fargate_base=1", "--set", "container.cpu=512", "--set", "container.memory=1024")

    standing.desk.apply(SUFFIX, *both)

    assert [one["base"] for one in strategy(standing)] == [1, 0]
    assert capacity(standing) == {"FARGATE": 1, "FARGATE_SPOT": 1}
