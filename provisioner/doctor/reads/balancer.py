"""Reads of the load balancer, its listeners and rules, and the targets of the groups they forward to."""

from __future__ import annotations

from provisioner.doctor.check import JsonObject, ReadResult
from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.resources.ecs.foreign_targets import foreign_targets
from provisioner.resources.elbv2.request_routing import target_groups_of
from provisioner.resources.origin_key import redact_rule
from provisioner.service_clients import ECS, ELBV2

# The calls of this module by service; `policy` grants them.
CALLS = {"elbv2": ("DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetHealth")}
_NO_BALANCER = ("LoadBalancerNotFound",)


def read_balancer(context: DoctorContext) -> ReadResult:
    """Return the load balancer, found by name (DescribeLoadBalancers)."""
    name = context.aws_name("alb")
    elb = context.clients.client(ELBV2)
    balancers = default_on_codes(_NO_BALANCER, lambda: elb.describe_load_balancers(Names=[name])["LoadBalancers"], [])
    return ReadResult(f"load balancer {name}", next(iter(balancers), None))


def read_listeners(context: DoctorContext) -> list[JsonObject]:
    """Return the listeners of the load balancer (DescribeListeners)."""
    elb = context.clients.client(ELBV2)
    return list(elb.describe_listeners(LoadBalancerArn=read_balancer(context).found["LoadBalancerArn"])["Listeners"])


def read_listener_rules(context: DoctorContext) -> list[JsonObject]:
    """Return the rules of each listener, each with its port, and with keys as hashes (DescribeRules)."""
    elb = context.clients.client(ELBV2)
    return [
        {**redact_rule(rule, context.suffix), "Port": listener["Port"]}
        for listener in read_listeners(context)
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]


def read_target_health(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the health of the targets of each target group that a rule forwards to, by the group's ARN.

    It makes a DescribeTargetHealth for each group.
    """
    elb = context.clients.client(ELBV2)
    arns = sorted({arn for rule in read_listener_rules(context) for arn in target_groups_of(rule)})
    return {arn: list(elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]) for arn in arns}


def read_foreign_targets(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the targets that are no task of the cluster, by target group ARN (ListTasks, DescribeTasks)."""
    ecs, cluster = context.clients.client(ECS), context.aws_name("cluster")
    return {arn: foreign_targets(ecs, cluster, targets) for arn, targets in read_target_health(context).items()}
