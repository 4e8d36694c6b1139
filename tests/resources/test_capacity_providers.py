"""Where tasks run: the base on Fargate in each deployment, and a strategy that somebody changed is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.live_stack import SUFFIX, LiveStack

CLUSTER, SERVICE = f"ml-api-cluster-{SUFFIX}", f"ml-api-service-{SUFFIX}"
SPOT_ALONE = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


def capacity(live_stack: LiveStack) -> Counter[str]:
    """What the tasks run on, as ECS tells them."""
    ecs = live_stack.aws("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    listed = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return Counter(one["capacityProviderName"] for one in listed if one["lastStatus"] == "RUNNING")


def strategy(live_stack: LiveStack) -> list[dict[str, Any]]:
    return sorted(live_stack.service["capacityProviderStrategy"], key=lambda one: str(one["capacityProvider"]))


def test_what_a_deployment_replaces_runs_on_the_base_again(live_stack: LiveStack) -> None:
    for command in (("restart",), ("deploy", "--image", "public.ecr.aws/acme/model:2")):
        live_stack.desk.well(*command, "--yes", "--suffix", SUFFIX)
        assert capacity(live_stack) == {"FARGATE": 2}
        assert "2 on FARGATE\n" in live_stack.desk.well("status", "--suffix", SUFFIX).out
    live_stack.desk.well("rollback", "--yes", "--suffix", SUFFIX)


def test_tasks_beyond_the_base_are_spread_and_nothing_is_wrong_with_that(live_stack: LiveStack) -> None:
    ecs = live_stack.aws("ecs")
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=6)
    assert capacity(live_stack) == {"FARGATE": 3, "FARGATE_SPOT": 3}

    for command in ("status", "drift", "doctor"):
        live_stack.desk.well(command, "--suffix", SUFFIX)
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=2)


def test_a_strategy_that_somebody_changed_is_told_and_set_back(live_stack: LiveStack) -> None:
    ours = strategy(live_stack)
    live_stack.aws("ecs").update_service(
        cluster=CLUSTER, service=SERVICE, capacityProviderStrategy=SPOT_ALONE, forceNewDeployment=True
    )

    for command in ("plan", "drift"):
        ran = live_stack.desk.run(command, "--suffix", SUFFIX, "--detailed-exitcode")
        assert ran.code == 2, ran.out
        assert "capacityProviderStrategy" in ran.out
    live_stack.desk.apply(SUFFIX)
    assert strategy(live_stack) == ours
    assert capacity(live_stack) == {"FARGATE": 2}


def test_another_strategy_and_another_task_come_in_one_apply(live_stack: LiveStack) -> None:
    """ECS refuses a strategy that is not forced, also where a new task begins a deployment anyway."""
    both = ("--set", "service.fargate_base=1", "--set", "container.cpu=512", "--set", "container.memory=1024")

    live_stack.desk.apply(SUFFIX, *both)

    assert [one["base"] for one in strategy(live_stack)] == [1, 0]
    assert capacity(live_stack) == {"FARGATE": 1, "FARGATE_SPOT": 1}
