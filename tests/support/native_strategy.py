"""ECS's own strategy on a service of a stack, set by hand as a person does it with AWS's CLI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.resources.elbv2.request_routing import target_groups_of
from tests.support.live_stack import Doc, LiveStack

# A role of the account's own, by which ECS may change the balancer.
ROLE = "arn:aws:iam::123456789012:role/ecs-infrastructure"
# AWS hides a new target group for a moment: from so many calls that name it at the most.
_LOOKS = 10
ROLLING: dict[str, Any] = {
    "strategy": "ROLLING",
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
}


@dataclass(frozen=True)
class NativeStrategy:
    """The main service of a stack whose requests ECS leads over by itself."""

    stack: LiveStack
    blue: str
    green: str
    rule: str

    @classmethod
    def chosen(cls, live_stack: LiveStack, strategy: str = "BLUE_GREEN", **more: Any) -> NativeStrategy:
        """Make the second group, have the rule lead to both, choose the strategy: a deployment begins."""
        elbv2, group = live_stack.aws("elbv2"), live_stack.target_group
        kept = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "Matcher")
        made = elbv2.create_target_group(Name="by-hand-green", **{key: group[key] for key in kept})
        green = made["TargetGroups"][0]["TargetGroupArn"]
        rule = production_rule(live_stack, group["TargetGroupArn"])
        native = cls(live_stack, group["TargetGroupArn"], green, rule["RuleArn"])
        for _ in range(_LOOKS):
            with suppress(ClientError):
                native.lead(100, 0)
                break
        native.choose(strategy, **more)
        return native

    def lead(self, blue: int, green: int) -> None:
        """Give the two groups these weights."""
        weights = ((self.blue, blue), (self.green, green))
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        self.stack.aws("elbv2").modify_rule(RuleArn=self.rule, Actions=actions)

    @property
    def serves(self) -> str:
        """The group to which ECS leads."""
        return self.blue if self.weights[0] else self.green

    def lead_all(self, group: str) -> None:
        """Have each rule that leads to one of the two and is not ECS's lead to this one."""
        for one in self.rules:
            if {self.blue, self.green} & set(target_groups_of(one)) and self.rule != one["RuleArn"]:
                self.send_back(one, group)

    def send_back(self, rule: Doc, group: str = "") -> None:
        """Have a rule lead to one group alone, the first unless another is named."""
        elbv2 = self.stack.aws("elbv2")
        actions = [{"Type": "forward", "TargetGroupArn": group or self.blue}]
        if rule["IsDefault"]:
            listener = self.stack.listener["ListenerArn"]
            elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)
        else:
            elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)

    def choose(self, strategy: str, **more: Any) -> None:
        """UpdateService with a strategy, and what ECS needs to shift requests."""
        advanced = {
            "alternateTargetGroupArn": self.green,
            "productionListenerRule": self.rule,
            "roleArn": ROLE,
        }
        (entry,) = self.stack.service["loadBalancers"]
        self.update(
            deploymentConfiguration={"strategy": strategy, "bakeTimeInMinutes": 5, **more},
            loadBalancers=[{**entry, "advancedConfiguration": advanced}],
        )

    def update(self, **given: Any) -> None:
        """UpdateService."""
        service = self.stack.service
        self.stack.aws("ecs").update_service(cluster=service["clusterArn"], service=service["serviceName"], **given)

    @property
    def rules(self) -> list[Doc]:
        """Those of the listener."""
        listener = self.stack.listener["ListenerArn"]
        return list(self.stack.aws("elbv2").describe_rules(ListenerArn=listener)["Rules"])

    @property
    def weights(self) -> tuple[int, int]:
        """Those of the two groups on the production rule."""
        (rule,) = self.stack.aws("elbv2").describe_rules(RuleArns=[self.rule])["Rules"]
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        told = {one["TargetGroupArn"]: one["Weight"] for one in groups}
        return told.get(self.blue, 0), told.get(self.green, 0)

    @property
    def deployment(self) -> Doc:
        """The newest deployment, whole."""
        ecs, arn = self.stack.aws("ecs"), self.stack.service["currentServiceDeployment"]
        (told,) = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
        return dict(told)

    def pause(self, stage: str) -> None:
        """Have each deployment wait for a person at this stage."""
        limit = {"timeoutInMinutes": 60, "action": "ROLLBACK"}
        hook = {"targetType": "PAUSE", "lifecycleStages": [stage], "timeoutConfiguration": limit}
        told = {"strategy": self.strategy, "bakeTimeInMinutes": 5, "lifecycleHooks": [hook]}
        self.update(deploymentConfiguration=told)

    @property
    def hook(self) -> str:
        """The id of the hook that waits."""
        listed = self.deployment["lifecycleHookDetails"]
        return next(str(one["hookId"]) for one in listed if one["status"] == "AWAITING_ACTION")

    @property
    def waits(self) -> tuple[str, str]:
        """At which hook it waits, and what lets it go on, as a command has to say it."""
        now, hook = self.deployment, self.hook
        return (
            f"at the hook {hook} ({now['lifecycleStage']})",
            f"aws ecs continue-service-deployment --service-deployment-arn {now['serviceDeploymentArn']} "
            f"--hook-id {hook} --action CONTINUE --region {self.stack.region}",
        )

    def let_go(self) -> None:
        """ContinueServiceDeployment."""
        arn = self.deployment["serviceDeploymentArn"]
        self.stack.aws("ecs").continue_service_deployment(serviceDeploymentArn=arn, hookId=self.hook)

    @property
    def counts(self) -> str:
        """How many of its tasks run."""
        service = self.stack.service
        return f"{service['runningCount']} of {service['desiredCount']} tasks run"

    @property
    def strategy(self) -> str:
        """The service's strategy."""
        return str(self.stack.service["deploymentConfiguration"]["strategy"])


def production_rule(live_stack: LiveStack, group: str) -> Doc:
    """The first rule that leads to a group."""
    elbv2 = live_stack.aws("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=live_stack.balancer["LoadBalancerArn"])["Listeners"]
    rules = (
        rule
        for one in listeners
        for rule in elbv2.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
        if not rule["IsDefault"]
    )
    return next(dict(rule) for rule in rules if rule["Actions"][0].get("TargetGroupArn") == group)


@contextmanager
def native(live_stack: LiveStack, strategy: str = "BLUE_GREEN", **more: Any) -> Iterator[NativeStrategy]:
    """Inside, ECS leads over; all is as before after it."""
    one = NativeStrategy.chosen(live_stack, strategy, **more)
    try:
        yield one
    finally:
        one.update(deploymentConfiguration=ROLLING, loadBalancers=[_plain(live_stack)])
        for rule in one.rules:
            if one.green in str(rule["Actions"]):
                one.send_back(rule)
        live_stack.aws("elbv2").delete_target_group(TargetGroupArn=one.green)


def _plain(live_stack: LiveStack) -> Doc:
    (entry,) = live_stack.service["loadBalancers"]
    return {key: value for key, value in entry.items() if key != "advancedConfiguration"}
