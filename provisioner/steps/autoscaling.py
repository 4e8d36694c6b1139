"""The number of tasks follows the requests per task."""

from __future__ import annotations

from provisioner.engine.graph import Piece
from provisioner.engine.refs import text
from provisioner.kinds.autoscaling import ScalableTarget, ScalingPolicy
from provisioner.settings import Settings
from provisioner.steps.account import Account
from provisioner.steps.alb import Balancer
from provisioner.steps.ecs import Compute


def autoscaling(up: Piece, s: Settings, tasks: Compute, balancer: Balancer, roles: Account) -> None:
    """Target tracking on ALBRequestCountPerTarget, which counts requests a minute."""
    what = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{tasks.cluster.aws_name}/{tasks.service.aws_name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    target = up(
        ScalableTarget,
        "scaling",
        MinCapacity=s.service.minimum,
        MaxCapacity=s.service.maximum,
        **what,
        after=[tasks.service, roles.scaling],
    )
    up(
        ScalingPolicy,
        "scaling-requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": float(s.service.requests),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": text("{}/{}", balancer.alb["FullName"], balancer.group["FullName"]),
            },
            "ScaleOutCooldown": s.service.scale_out_cooldown,
            "ScaleInCooldown": s.service.scale_in_cooldown,
        },
        **what,
        after=[target, *balancer.rules],
    )
