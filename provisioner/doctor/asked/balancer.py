"""The load balancer: its listeners, its rules, and who is in the target groups that they lead to."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless
from provisioner.kinds.ecs.strangers import strangers
from provisioner.kinds.elbv2.routing import led_to
from provisioner.kinds.origin_key import veiled_rule

# What is asked here, by service: `policy` grants it.
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
    """DescribeLoadBalancers, by name."""
    name = p.named("alb")
    elb = p.clients.client("elbv2")
    found = unless(_NO_BALANCER, lambda: elb.describe_load_balancers(Names=[name])["LoadBalancers"], [])
    return Sought(f"load balancer {name}", next(iter(found), None))


def listeners(p: Patient) -> list[Doc]:
    """DescribeListeners of the balancer."""
    elb = p.clients.client("elbv2")
    return list(elb.describe_listeners(LoadBalancerArn=balancer(p).found["LoadBalancerArn"])["Listeners"])


def rules(p: Patient) -> list[Doc]:
    """DescribeRules of each listener, with its port; keys are told by their hash."""
    elb = p.clients.client("elbv2")
    return [
        {**veiled_rule(rule, p.suffix), "Port": listener["Port"]}
        for listener in listeners(p)
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]


def health(p: Patient) -> dict[str, list[Doc]]:
    """DescribeTargetHealth of each target group that a rule leads to, by its ARN."""
    elb = p.clients.client("elbv2")
    arns = sorted({arn for rule in rules(p) for arn in led_to(rule)})
    return {arn: elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in arns}


def foreign(p: Patient) -> dict[str, list[Doc]]:
    """ListTasks, DescribeTasks: of each of these groups the targets that are no task's, by its ARN."""
    ecs, cluster = p.clients.client("ecs"), p.named("cluster")
    return {arn: strangers(ecs, cluster, listed) for arn, listed in health(p).items()}
