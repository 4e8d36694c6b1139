"""Reads of the load balancer, its listeners and rules, and the targets of the groups they forward to."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless
from provisioner.resources.ecs.strangers import strangers
from provisioner.resources.elbv2.routing import led_to
from provisioner.resources.origin_key import redacted_rule

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


def balancer(p: Patient) -> Sought:
    """Return the load balancer, found by name (DescribeLoadBalancers)."""
    name = p.named("alb")
    elb = p.clients.client("elbv2")
    found = unless(_NO_BALANCER, lambda: elb.describe_load_balancers(Names=[name])["LoadBalancers"], [])
    return Sought(f"load balancer {name}", next(iter(found), None))


def listeners(p: Patient) -> list[Doc]:
    """Return the listeners of the load balancer (DescribeListeners)."""
    elb = p.clients.client("elbv2")
    return list(elb.describe_listeners(LoadBalancerArn=balancer(p).found["LoadBalancerArn"])["Listeners"])


def rules(p: Patient) -> list[Doc]:
    """Return the rules of each listener, each with its port, and with keys as hashes (DescribeRules)."""
    elb = p.clients.client("elbv2")
    return [
        {**redacted_rule(rule, p.suffix), "Port": listener["Port"]}
        for listener in listeners(p)
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]


def health(p: Patient) -> dict[str, list[Doc]]:
    """Return the health of the targets of each target group that a rule forwards to, by the group's ARN.

    It makes a DescribeTargetHealth for each group.
    """
    elb = p.clients.client("elbv2")
    arns = sorted({arn for rule in rules(p) for arn in led_to(rule)})
    return {arn: elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in arns}


def foreign(p: Patient) -> dict[str, list[Doc]]:
    """Return the targets that are no task of the cluster, by target group ARN (ListTasks, DescribeTasks)."""
    ecs, cluster = p.clients.client("ecs"), p.named("cluster")
    return {arn: strangers(ecs, cluster, listed) for arn, listed in health(p).items()}
