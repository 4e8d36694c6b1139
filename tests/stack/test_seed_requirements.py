"""The seed's compliance table, line by line, as AWS sees the stack."""

from __future__ import annotations

from pathlib import Path

import cli
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack

# Of pages and pictures; they hold no code.
TEMPLATES = {".html", ".css", ".svg"}


def test_platform_and_language_all_code_is_python() -> None:
    root = Path(cli.__file__).parent
    files = [path for part in ("provisioner", "state") for path in (root / part).rglob("*") if path.is_file()]

    assert {path.suffix for path in files if "__pycache__" not in path.parts} <= {".py", ".typed", ".json", *TEMPLATES}


def test_region_is_the_one_that_was_chosen(live_stack: LiveStack) -> None:
    options = live_stack.task["containerDefinitions"][0]["logConfiguration"]["options"]

    assert options["awslogs-region"] == "us-east-1"
    assert {subnet["AvailabilityZone"][:-1] for subnet in live_stack.ec2("describe_subnets", "Subnets")} == {
        "us-east-1"
    }


def test_environment_suffix_is_in_every_name(live_stack: LiveStack) -> None:
    aws = live_stack.aws
    names = [
        live_stack.cluster["DBClusterIdentifier"],
        live_stack.cluster["DBSubnetGroup"],
        live_stack.cluster["DBClusterParameterGroup"],
        live_stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"],
        live_stack.balancer["LoadBalancerName"],
        live_stack.target_group["TargetGroupName"],
        live_stack.service["serviceName"],
        live_stack.service["clusterArn"],
        live_stack.task["family"],
        live_stack.distribution["Comment"],
        *aws("dynamodb").list_tables()["TableNames"],
        *(one["logGroupName"].removesuffix("/postgresql") for one in aws("logs").describe_log_groups()["logGroups"]),
        aws("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0][
            "PolicyName"
        ],
    ]

    assert all(name.removesuffix("/performance").endswith(f"-{SUFFIX}") for name in names)


def test_destroyability(live_stack: LiveStack) -> None:
    table = live_stack.aws("dynamodb").describe_table(TableName=f"ml-api-sessions-{SUFFIX}")["Table"]
    arn = live_stack.balancer["LoadBalancerArn"]
    attributes = live_stack.aws("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]

    assert live_stack.cluster["DeletionProtection"] is False
    assert not table.get("DeletionProtectionEnabled")
    assert {"Key": "deletion_protection.enabled", "Value": "false"} in attributes


def test_vpc_over_three_zones(live_stack: LiveStack) -> None:
    subnets = live_stack.ec2("describe_subnets", "Subnets", vpc_id=live_stack.vpc)

    assert len(subnets) == 6
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 3


def test_ecs_fargate_spot_carries_seventy_percent(live_stack: LiveStack) -> None:
    strategy = {one["capacityProvider"]: one for one in live_stack.service["capacityProviderStrategy"]}

    assert strategy["FARGATE_SPOT"]["weight"] == 70
    assert (strategy["FARGATE"]["weight"], strategy["FARGATE"]["base"]) == (30, 2)
    assert "launchType" not in live_stack.service


def test_alb_health_checks_every_thirty_seconds(live_stack: LiveStack) -> None:
    group = live_stack.target_group

    assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]) == ("/health", 30)
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (2, 3)
    assert group["HealthCheckTimeoutSeconds"] == 5


def test_path_routing(live_stack: LiveStack) -> None:
    arn = live_stack.target_group["TargetGroupArn"]

    for path in ("/api/v1/*", "/api/v2/*"):
        (action,) = live_stack.rules[path]["Actions"]
        assert (action["Type"], action["TargetGroupArn"]) == ("forward", arn)


def test_aurora_serverless_v2_scales_from_half_to_two(live_stack: LiveStack) -> None:
    scaling = live_stack.cluster["ServerlessV2ScalingConfiguration"]

    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (0.5, 2)
    assert live_stack.cluster["Engine"] == "aurora-postgresql"
    assert live_stack.cluster["EngineVersion"].split(".")[0] == "17"


def test_dynamodb_ttl_and_point_in_time_recovery(live_stack: LiveStack) -> None:
    dynamodb, name = live_stack.aws("dynamodb"), f"ml-api-sessions-{SUFFIX}"
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "ttl")
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_cloudfront_has_pages_of_its_own_for_403_and_404(live_stack: LiveStack) -> None:
    pages = {one["ErrorCode"]: one for one in live_stack.distribution["CustomErrorResponses"]["Items"]}

    for code in (403, 404):
        path = pages[code]["ResponsePagePath"]
        assert pages[code]["ResponseCode"] == str(code)
        (action,) = live_stack.rules[path]["Actions"]
        assert action["FixedResponseConfig"]["StatusCode"] == "200"
        assert f"<title>{code}</title>" in action["FixedResponseConfig"]["MessageBody"]


def test_autoscaling_from_two_to_ten_at_a_thousand_requests(live_stack: LiveStack) -> None:
    scaling = live_stack.aws("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]

    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert tracking["TargetValue"] == 1000
    assert (tracking["ScaleOutCooldown"], tracking["ScaleInCooldown"]) == (60, 300)
    measure = tracking["PredefinedMetricSpecification"]
    assert measure["PredefinedMetricType"] == "ALBRequestCountPerTarget"


def test_cloudwatch_logs_are_kept_thirty_days(live_stack: LiveStack) -> None:
    groups = {
        one["logGroupName"]: one.get("retentionInDays")
        for one in live_stack.aws("logs").describe_log_groups()["logGroups"]
    }

    assert groups[f"/aws/ecs/ml-api-{SUFFIX}"] == 30
    assert groups[f"/aws/alb/ml-api-{SUFFIX}"] == 30
    assert set(groups.values()) == {30}


def test_iam_gives_the_least_that_works(live_stack: LiveStack) -> None:
    own = {
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/ecs/ml-api-{SUFFIX}:*",
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/ml-api-sessions-{SUFFIX}",
        live_stack.secret,
    }
    statements = list(live_stack.statements())

    assert {resource for _, statement in statements for resource in statement["Resource"]} == own
    assert all(statement["Effect"] == "Allow" for _, statement in statements)
    assert not any("*" in action for _, statement in statements for action in statement["Action"])


def test_circuit_breaker_rolls_back(live_stack: LiveStack) -> None:
    deployment = live_stack.service["deploymentConfiguration"]

    assert deployment["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
