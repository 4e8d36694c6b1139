"""Reads of the load balancer, its listeners and rules, and the targets of the groups they forward to."""

from __future__ import annotations

from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.finding import JsonObject, ReadResult
from provisioner.resources.ecs.foreign_targets import foreign_targets
from provisioner.resources.elbv2.request_routing import target_groups_of
from provisioner.resources.origin_key import redact_rule

# The calls of this module by service; `policy` grants them.
CALLS = {
    "elbv2": (
        "DescribeLoadBalancers",
        "DescribeListeners",
        "DescribeRules",
        "DescribeTargetHealth",
    )
}
_NO_BALANCER = ("LoadBalancerNotFound",)


def balancer(context: DoctorContext) -> ReadResult:
    """Return the load balancer, found by name (DescribeLoadBalancers)."""
    name = context.aws_name("alb")
    elb = context.clients.client("elbv2")
    found = default_on_codes(_NO_BALANCER, lambda: elb.describe_load_balancers(Names=[name])["LoadBalancers"], [])
    return ReadResult(f"load balancer {name}", next(iter(found), None))


def listeners(context: DoctorContext) -> list[JsonObject]:
    """Return the listeners of the load balancer (DescribeListeners)."""
    elb = context.clients.client("elbv2")
    return list(elb.describe_listeners(LoadBalancerArn=balancer(context).found["LoadBalancerArn"])["Listeners"])


def rules(context: DoctorContext) -> list[JsonObject]:
    """Return the rules of each listener, each with its port, and with keys as hashes (DescribeRules)."""
    elb = context.clients.client("elbv2")
    return [
        {**redact_rule(rule, context.suffix), "Port": listener["Port"]}
        for listener in listeners(context)
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]


def health(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the health of the targets of each target group that a rule forwards to, by the group's ARN.

    It makes a DescribeTargetHealth for each group.
    """
    elb = context.clients.client("elbv2")
    arns = sorted({arn for rule in rules(context) for arn in target_groups_of(rule)})
    return {arn: elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in arns}


def foreign(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the targets that are no task of the cluster, by target group ARN (ListTasks, DescribeTasks)."""
    ecs, cluster = context.clients.client("ecs"), context.aws_name("cluster")
    return {arn: foreign_targets(ecs, cluster, listed) for arn, listed in health(context).items()}
