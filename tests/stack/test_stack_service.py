"""The table of the stack, line by line, as AWS sees it: rights, tasks, the balancer and the edge."""

from __future__ import annotations

from tests.support.account_inventory import client
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack, tags

REGION = "us-east-1"


def test_two_roles_that_only_tasks_may_take(live_stack: LiveStack) -> None:
    for noun in ("execution-role", "task-role"):
        role = live_stack.aws("iam").get_role(RoleName=f"ml-api-{noun}-{SUFFIX}")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Action"] == "sts:AssumeRole"


def test_the_execution_role_logs_and_reads_the_secret(live_stack: LiveStack) -> None:
    name = f"ml-api-execution-role-{SUFFIX}"
    rights = {
        (action, resource)
        for role, statement in live_stack.statements()
        for action in statement["Action"]
        for resource in statement["Resource"]
        if role == name
    }
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/ml-api-{SUFFIX}:*"

    assert rights == {
        ("logs:CreateLogStream", group),
        ("logs:PutLogEvents", group),
        ("secretsmanager:GetSecretValue", live_stack.secret),
    }


def test_the_task_role_uses_the_table_and_reads_the_secret(live_stack: LiveStack) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ml-api-sessions-{SUFFIX}"
    rights = {
        (action.split(":")[0], resource)
        for role, statement in live_stack.statements()
        for action in statement["Action"]
        for resource in statement["Resource"]
        if role == f"ml-api-task-role-{SUFFIX}"
    }

    assert rights == {("dynamodb", table), ("secretsmanager", live_stack.secret)}


def test_the_cluster_has_insights_and_both_capacities(live_stack: LiveStack) -> None:
    ecs = live_stack.aws("ecs")
    (cluster,) = ecs.describe_clusters(clusters=[f"ml-api-cluster-{SUFFIX}"], include=["SETTINGS"])["clusters"]

    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]


def test_the_task_has_its_size_platform_and_roles(live_stack: LiveStack) -> None:
    task = live_stack.task

    assert (task["cpu"], task["memory"], task["networkMode"]) == ("1024", "2048", "awsvpc")
    assert task["requiresCompatibilities"] == ["FARGATE"]
    assert task["runtimePlatform"] == {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
    assert task["executionRoleArn"].endswith(f"role/ml-api-execution-role-{SUFFIX}")
    assert task["taskRoleArn"].endswith(f"role/ml-api-task-role-{SUFFIX}")


def test_the_container_is_told_where_its_data_is(live_stack: LiveStack) -> None:
    (container,) = live_stack.task["containerDefinitions"]

    assert {one["name"]: one["value"] for one in container["environment"]} == {
        "SESSIONS_TABLE": f"ml-api-sessions-{SUFFIX}",
        "DB_HOST": live_stack.cluster["Endpoint"],
        "DB_PORT": "5432",
        "DB_NAME": live_stack.cluster["DatabaseName"],
        "DB_SECRET_ARN": live_stack.secret,
    }
    assert {one["name"]: one["valueFrom"] for one in container["secrets"]} == {
        "DB_USERNAME": f"{live_stack.secret}:username::",
        "DB_PASSWORD": f"{live_stack.secret}:password::",
    }


def test_the_placeholder_is_pinned_and_answers_what_the_balancer_asks(live_stack: LiveStack) -> None:
    (container,) = live_stack.task["containerDefinitions"]
    image, _, tag = container["image"].partition(":")

    assert image == "public.ecr.aws/nginx/nginx-unprivileged"
    assert tag not in ("", "latest")
    script = container["command"][-1]
    for words in (
        "listen 8080",
        "location = /health",
        "location /api/v1/",
        "location /api/v2/",
        "/tmp/nginx.conf",
    ):
        assert words in script


def test_two_tasks_run_in_the_private_subnets_without_public_addresses(live_stack: LiveStack) -> None:
    service = live_stack.service
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    private = {
        one["SubnetId"]
        for one in live_stack.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"].startswith("private-")
    }

    assert (service["desiredCount"], service["runningCount"]) == (2, 2)
    assert set(network["subnets"]) == private
    assert network["securityGroups"] == [live_stack.group("sg-tasks")]
    assert network["assignPublicIp"] == "DISABLED"


def test_every_target_is_healthy(live_stack: LiveStack) -> None:
    arn = live_stack.target_group["TargetGroupArn"]
    health = live_stack.aws("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]

    assert len(health) == 2
    assert {one["TargetHealth"]["State"] for one in health} == {"healthy"}
    assert {one["Target"]["Port"] for one in health} == {8080}


def test_the_balancer_faces_the_internet_from_the_public_subnets(live_stack: LiveStack) -> None:
    balancer = live_stack.balancer
    public = {
        one["SubnetId"]
        for one in live_stack.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"].startswith("public-")
    }

    assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == public
    assert balancer["SecurityGroups"] == [live_stack.group("sg-alb")]


def test_the_target_group_takes_addresses_and_lets_go_after_half_a_minute(live_stack: LiveStack) -> None:
    group = live_stack.target_group
    attributes = live_stack.aws("elbv2").describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])

    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("HTTP", 8080, "ip")
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in attributes["Attributes"]


def test_the_listener_forwards_what_no_rule_speaks_of(live_stack: LiveStack) -> None:
    listener = live_stack.listener
    (action,) = listener["DefaultActions"]

    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", live_stack.target_group["TargetGroupArn"])


def test_the_rules_are_the_prefixes_and_the_pages(live_stack: LiveStack) -> None:
    rules = live_stack.rules

    assert rules.keys() == {"/api/v1/*", "/api/v2/*", "/errors/403.html", "/errors/404.html"}


def test_autoscaling_counts_the_requests_of_this_very_group(live_stack: LiveStack) -> None:
    scaling = live_stack.aws("application-autoscaling")
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    label = tracking["PredefinedMetricSpecification"]["ResourceLabel"]

    balancer = live_stack.balancer["LoadBalancerArn"].split("loadbalancer/")[1]
    group = live_stack.target_group["TargetGroupArn"].split(":")[-1]
    assert label == f"{balancer}/{group}"
    assert policy["ResourceId"] == f"service/ml-api-cluster-{SUFFIX}/ml-api-service-{SUFFIX}"


def test_cloudfront_passes_everything_through_and_keeps_nothing(live_stack: LiveStack) -> None:
    behavior = live_stack.distribution["DefaultCacheBehavior"]

    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert sorted(behavior["AllowedMethods"]["Items"]) == sorted(
        ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    )
    # CloudFront developer guide: the managed policies CachingDisabled and AllViewer.
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behavior["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"


def test_cloudfront_keeps_no_error_either(live_stack: LiveStack) -> None:
    errors = {one["ErrorCode"]: one for one in live_stack.distribution["CustomErrorResponses"]["Items"]}

    assert errors.keys() >= {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert {one["ErrorCachingMinTTL"] for one in errors.values()} == {0}
    assert [code for code, one in errors.items() if one.get("ResponsePagePath")] == [403, 404]


def test_cloudfront_speaks_http_to_the_balancer(live_stack: LiveStack) -> None:
    distribution = live_stack.distribution
    (origin,) = distribution["Origins"]["Items"]

    assert origin["DomainName"] == live_stack.balancer["DNSName"]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
    assert distribution["PriceClass"] == "PriceClass_100"
    assert distribution["ViewerCertificate"]["CloudFrontDefaultCertificate"] is True
    assert distribution["Enabled"] is True


def test_the_outputs_are_what_aws_says(live_stack: LiveStack) -> None:
    listed = client(live_stack.desk.box.endpoint, "cloudfront").list_distributions()["DistributionList"]["Items"]
    domain = listed[0]["DomainName"]

    assert live_stack.desk.known(SUFFIX)["outputs"] == {
        "alb_dns_name": live_stack.balancer["DNSName"],
        "cloudfront_domain_name": domain,
        "cloudfront_distribution_url": f"https://{domain}",
        "rds_cluster_endpoint": live_stack.cluster["Endpoint"],
        "dynamodb_table_name": f"ml-api-sessions-{SUFFIX}",
        "ecs_cluster_name": f"ml-api-cluster-{SUFFIX}",
        "ecs_service_name": f"ml-api-service-{SUFFIX}",
        "vpc_id": live_stack.vpc,
    }
