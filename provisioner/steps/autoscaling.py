"""Autoscaling of each service by the number of requests per task."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import Step
from provisioner.engine.resource_graph.references import interpolate
from provisioner.resources.autoscaling import RESUMED, ScalableTarget, ScalingPolicy
from provisioner.settings import Settings, Workload
from provisioner.steps.account import Account
from provisioner.steps.alb import Balancer
from provisioner.steps.ecs import Compute


def autoscaling(step: Step, settings: Settings, tasks: Compute, balancer: Balancer, roles: Account) -> None:
    """Declare target tracking for each service, on ALBRequestCountPerTarget: requests per task and minute."""
    for one in settings.workloads:
        _scaling(step, one, tasks, balancer, roles)


def _scaling(step: Step, one: Workload, tasks: Compute, balancer: Balancer, roles: Account) -> None:
    service, front = tasks.services[one.name], balancer.fronts[one.name]
    what: dict[str, Any] = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{tasks.cluster.aws_name}/{service.aws_name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    target = step(
        ScalableTarget,
        one.named("scaling"),
        **one.told_apart("scaling"),
        MinCapacity=one.service.minimum,
        MaxCapacity=one.service.maximum,
        SuspendedState=dict(RESUMED),
        **what,
        depends_on=[service, roles.scaling],
    )
    step(
        ScalingPolicy,
        one.named("scaling-requests"),
        **one.told_apart("requests"),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": float(one.service.requests),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": interpolate("{}/{}", balancer.alb["FullName"], front.target_group["FullName"]),
            },
            "ScaleOutCooldown": one.service.scale_out_cooldown,
            "ScaleInCooldown": one.service.scale_in_cooldown,
        },
        **what,
        depends_on=[target, *front.rules],
    )
