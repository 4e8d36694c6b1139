"""Deployments that ECS leads over by itself, in the box: groups, weights, stages and hooks."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.clock import clock
from tests.emulator.conftest import Client
from tests.emulator.places import balancer, definition, listener, network, service, target_group, through

ROLE = "arn:aws:iam::123456789012:role/ecs-infrastructure"
ADVANCED = {"roleArn": ROLE}


class Pair:
    """A service behind a rule that leads to two groups."""

    def __init__(self, aws: Client) -> None:
        self.aws = aws
        place = network(aws)
        self.blue, self.green = (target_group(aws, place, Name=name) for name in ("blue", "green"))
        made = listener(aws, balancer(aws, place)["LoadBalancerArn"], self.blue)
        groups = [{"TargetGroupArn": self.blue, "Weight": 100}, {"TargetGroupArn": self.green, "Weight": 0}]
        self.rule = aws("elbv2").create_rule(
            ListenerArn=made["ListenerArn"],
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
        )["Rules"][0]["RuleArn"]
        service(aws, place, **through(self.blue))

    def choose(self, strategy: str, **more: Any) -> None:
        """Have ECS lead the requests over from now on."""
        advanced = {"alternateTargetGroupArn": self.green, "productionListenerRule": self.rule, **ADVANCED}
        entry = {"targetGroupArn": self.blue, "containerName": "web", "containerPort": 80}
        self.aws("ecs").update_service(
            cluster="c",
            service="s",
            deploymentConfiguration={"strategy": strategy, "bakeTimeInMinutes": 5, **more},
            loadBalancers=[{**entry, "advancedConfiguration": advanced}],
        )

    def ship(self) -> None:
        """Deploy another revision."""
        self.aws("ecs").update_service(cluster="c", service="s", taskDefinition=definition(self.aws))

    @property
    def weights(self) -> tuple[int, int]:
        """Those of the two groups."""
        told = self.aws("elbv2").describe_rules(RuleArns=[self.rule])["Rules"][0]["Actions"][0]
        weights = {one["TargetGroupArn"]: one["Weight"] for one in told["ForwardConfig"]["TargetGroups"]}
        return weights[self.blue], weights[self.green]

    def targets(self, group: str) -> int:
        """How many targets a group has."""
        listed = self.aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(one["TargetHealth"]["State"] != "draining" for one in listed)

    @property
    def deployment(self) -> Any:
        """The newest one, whole."""
        ecs = self.aws("ecs")
        arn = ecs.list_service_deployments(cluster="c", service="s")["serviceDeployments"][0]
        found = ecs.describe_service_deployments(serviceDeploymentArns=[arn["serviceDeploymentArn"]])
        return found["serviceDeployments"][0]


@pytest.fixture
def pair(aws: Client) -> Pair:
    return Pair(aws)


def test_each_deployment_leads_to_the_group_that_the_one_before_was_not_in(pair: Pair) -> None:
    pair.choose("BLUE_GREEN")
    assert pair.weights == (0, 100)
    assert (pair.targets(pair.blue), pair.targets(pair.green)) == (0, 2)
    assert pair.deployment["status"] == "SUCCESSFUL"
    assert pair.deployment["lifecycleStage"] == "CLEAN_UP"

    pair.ship()

    assert pair.weights == (100, 0)
    assert (pair.targets(pair.blue), pair.targets(pair.green)) == (2, 0)
    told = pair.aws("ecs").describe_services(cluster="c", services=["s"])["services"][0]
    assert told["loadBalancers"][0]["targetGroupArn"] == pair.blue


def test_a_hook_waits_until_it_is_let_go_on(pair: Pair) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    pair.choose("BLUE_GREEN", lifecycleHooks=[hook])

    (told,) = pair.deployment["lifecycleHookDetails"]
    assert (told["status"], told["timeoutAction"]) == ("AWAITING_ACTION", "ROLLBACK")
    assert pair.weights == (100, 0)
    ecs, arn = pair.aws("ecs"), pair.deployment["serviceDeploymentArn"]
    with pytest.raises(ClientError, match="does not await"):
        ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId="another")
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=told["hookId"])

    assert pair.deployment["status"] == "SUCCESSFUL"
    assert pair.weights == (0, 100)


@pytest.mark.parametrize("late", [True, False])
def test_a_hook_sends_back_what_nobody_lets_go_on(pair: Pair, *, late: bool) -> None:
    pair.choose("BLUE_GREEN")
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"]}
    limit = {"timeoutInMinutes": 10, "action": "ROLLBACK"}
    told = {"strategy": "BLUE_GREEN", "lifecycleHooks": [{**hook, "timeoutConfiguration": limit}]}
    ecs = pair.aws("ecs")
    ecs.update_service(cluster="c", service="s", deploymentConfiguration=told)
    pair.ship()
    assert pair.weights == (100, 0)
    (waits,) = pair.deployment["lifecycleHookDetails"]

    if late:
        clock.advance(601)
    else:
        arn = pair.deployment["serviceDeploymentArn"]
        ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=waits["hookId"], action="ROLLBACK")

    assert pair.deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert pair.weights == (0, 100)
    assert pair.targets(pair.green) == 2


def test_a_canary_is_given_its_share_first(pair: Pair) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
    canary = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1}
    pair.choose("CANARY", canaryConfiguration=canary, lifecycleHooks=[hook])
    seen = [pair.weights]
    while waiting := [one for one in pair.deployment["lifecycleHookDetails"] if one["status"] == "AWAITING_ACTION"]:
        arn = pair.deployment["serviceDeploymentArn"]
        pair.aws("ecs").continue_service_deployment(serviceDeploymentArn=arn, hookId=waiting[0]["hookId"])
        seen.append(pair.weights)

    assert seen == [(100, 0), (80, 20), (0, 100)]


def test_a_strategy_without_its_rule_is_refused(pair: Pair) -> None:
    with pytest.raises(ClientError, match="advancedConfiguration is required"):
        pair.aws("ecs").update_service(
            cluster="c", service="s", deploymentConfiguration={"strategy": "LINEAR", "bakeTimeInMinutes": 1}
        )
