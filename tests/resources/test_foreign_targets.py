"""A target that somebody else registers behind our balancer is told, not counted as ours, and taken out."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.resources.ecs.foreign_targets import foreign_targets
from provisioner.service_clients import ECS
from tests.support.fake_resources import as_client
from tests.support.live_stack import SUFFIX, LiveStack

Doc = dict[str, Any]
STRANGER = {"Id": "10.0.9.9", "Port": 80}
CLUSTER = "ml-api-cluster-prod"


def registered(live_stack: LiveStack) -> set[str]:
    """The addresses in the target group, but for those on their way out."""
    arn = live_stack.target_group["TargetGroupArn"]
    listed = live_stack.aws("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {one["Target"]["Id"] for one in listed if one["TargetHealth"]["State"] != "draining"}


def test_a_stranger_is_told_by_all_and_taken_out_by_apply(live_stack: LiveStack) -> None:
    user, before = live_stack.desk, registered(live_stack)
    live_stack.aws("elbv2").register_targets(
        TargetGroupArn=live_stack.target_group["TargetGroupArn"], Targets=[STRANGER]
    )

    assert before
    assert "- target 10.0.9.9:80  (added by hand)" in user.plan(SUFFIX)
    assert "target 10.0.9.9:80  (apply removes it)" in user.run("drift", "--suffix", SUFFIX).out
    status = user.run("status", "--suffix", SUFFIX)
    assert status.code == 1
    assert f"{len(before)} of {len(before)} healthy" in status.out
    assert "10.0.9.9:80 " in status.out
    doctor = user.run("doctor", "--suffix", SUFFIX)
    assert doctor.code == 1
    assert "Somebody registered 10.0.9.9:80 in " in doctor.out

    user.apply(SUFFIX)

    assert registered(live_stack) == before
    assert user.plan(SUFFIX) == "No changes.\n"
    assert user.well("drift", "--suffix", SUFFIX).out == "No drift.\n"
    user.well("status", "--suffix", SUFFIX)
    user.well("doctor", "--suffix", SUFFIX)


def target(address: str, state: str = "healthy") -> Doc:
    """One of DescribeTargetHealth's."""
    return {"Target": {"Id": address, "Port": 80}, "TargetHealth": {"State": state}}


def task(address: str = "", status: str = "RUNNING") -> Doc:
    """One of DescribeTasks's, with its interface where it has one."""
    details = [{"name": "privateIPv4Address", "value": address}] if address else []
    return {
        "lastStatus": status,
        "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
    }


class Ecs:
    """A cluster with these tasks, by what ECS wants of them; notes what it is asked."""

    def __init__(self, failures: list[Doc] | None = None, **tasks: list[Doc]) -> None:
        self.tasks, self.failures = tasks, failures or []
        self.asked: list[str] = []

    def list_tasks(self, *, cluster: str, desiredStatus: str) -> Doc:  # noqa: N803 - as boto3 has it
        assert cluster == CLUSTER
        self.asked.append(desiredStatus)
        return {"taskArns": [f"{desiredStatus}/{at}" for at in range(len(self.tasks.get(desiredStatus, [])))]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> Doc:
        assert cluster == CLUSTER
        named = (arn.split("/") for arn in tasks)
        return {"tasks": [self.tasks[of][int(at)] for of, at in named], "failures": self.failures}


def found(ecs: Ecs, *listed: Doc) -> list[str]:
    """The addresses of the strangers."""
    return [one["Target"]["Id"] for one in foreign_targets(as_client(ECS, ecs), CLUSTER, listed)]


@pytest.mark.parametrize("state", ["healthy", "unhealthy", "unused", "unavailable", "healthy.new"])
def test_whoever_is_no_task_is_a_stranger_in_every_state(state: str) -> None:
    ecs = Ecs(RUNNING=[task("10.0.0.1")])

    assert found(ecs, target("10.0.0.1", state), target("10.0.9.9", state)) == ["10.0.9.9"]


@pytest.mark.parametrize("state", ["initial", "draining", "unhealthy.draining"])
def test_who_comes_or_goes_may_be_a_task_of_which_ecs_tells_later_or_no_more(state: str) -> None:
    ecs = Ecs()

    assert found(ecs, target("10.0.9.9", state)) == []
    assert ecs.asked == []


def test_a_task_that_ecs_stops_is_no_stranger_while_it_is_still_registered() -> None:
    ecs = Ecs(RUNNING=[task("10.0.0.1")], STOPPED=[task("10.0.0.2", "DEACTIVATING")])

    assert found(ecs, target("10.0.0.1"), target("10.0.0.2")) == []


def test_where_all_are_running_tasks_no_more_is_asked() -> None:
    ecs = Ecs(RUNNING=[task("10.0.0.1"), task(status="PROVISIONING")])

    assert found(ecs, target("10.0.0.1")) == []
    assert ecs.asked == ["RUNNING"]


@pytest.mark.parametrize(
    "ecs",
    [
        Ecs(RUNNING=[task("10.0.0.1"), task()]),
        Ecs(RUNNING=[task("10.0.0.1")], failures=[{"reason": "MISSING"}]),
    ],
    ids=["a task tells no address", "a task is not told"],
)
def test_where_an_address_is_not_known_nobody_is_a_stranger(ecs: Ecs) -> None:
    assert found(ecs, target("10.0.9.9")) == []


def test_of_more_tasks_than_one_call_tells_each_is_known() -> None:
    own = [f"10.0.{at // 200}.{at % 200}" for at in range(250)]

    assert found(Ecs(RUNNING=[task(one) for one in own]), *map(target, own), target("10.9.9.9")) == ["10.9.9.9"]
