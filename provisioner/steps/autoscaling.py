"""Autoscaling of each service by the number of requests per task."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import Step
from provisioner.engine.resource_graph.references import interpolate
from provisioner.resources.autoscaling import RESUMED, ScalableTarget, ScalingPolicy
from provisioner.settings import Settings, Workload
from provisioner.steps.account import ServiceRoles
from provisioner.steps.alb import Balancer
from provisioner.steps.ecs import Compute


def declare_autoscaling(
    step: Step, settings: Settings, tasks: Compute, balancer: Balancer, service_roles: ServiceRoles
) -> None:
    """Declare target tracking for each service, on ALBRequestCountPerTarget: requests per task and minute."""
    for workload in settings.workloads:
        _declare_scaling(step, workload, tasks, balancer, service_roles)


def _declare_scaling(
    step: Step, workload: Workload, tasks: Compute, balancer: Balancer, service_roles: ServiceRoles
) -> None:
    """Declare the scalable target and the scaling policy of one service."""
    service, routing = tasks.services[workload.name], balancer.routing[workload.name]
    target_keys: dict[str, Any] = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{tasks.cluster.aws_name}/{service.aws_name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    target = step(
        ScalableTarget,
        workload.logical_id("scaling"),
        **workload.name_arguments("scaling"),
        MinCapacity=workload.service.minimum,
        MaxCapacity=workload.service.maximum,
        SuspendedState=dict(RESUMED),
        **target_keys,
        depends_on=[service, service_roles.scaling],
    )
    step(
        ScalingPolicy,
        workload.logical_id("scaling-requests"),
        **workload.name_arguments("requests"),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": float(workload.service.requests),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": interpolate("{}/{}", balancer.alb["FullName"], routing.target_group["FullName"]),
            },
            "ScaleOutCooldown": workload.service.scale_out_cooldown,
            "ScaleInCooldown": workload.service.scale_in_cooldown,
        },
        **target_keys,
        depends_on=[target, *routing.rules],
    )
