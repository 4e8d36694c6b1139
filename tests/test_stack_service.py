"""The table of the stack, line by line, as AWS sees it: rights, tasks, the balancer and the edge."""

from __future__ import annotations

from tests.inventory import client
from tests.standing import ACCOUNT, SUFFIX, Standing, tags

REGION = "us-east-1"


def test_two_roles_that_only_tasks_may_take(standing: Standing) -> None:
    for noun in ("execution-role", "task-role"):
        role = standing.aws("iam").get_role(RoleName=f"ml-api-{noun}-{SUFFIX}")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Action"] == "sts:AssumeRole"


def test_the_execution_role_logs_and_reads_the_secret(standing: Standing) -> None:
    name = f"ml-api-execution-role-{SUFFIX}"
    rights = {
        (action, resource)
        for role, statement in standing.statements()
        for action in statement["Action"]
        for resource in statement["Resource"]
        if role == name
    }
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ecs/ml-api-{SUFFIX}:*"

    assert rights == {
        ("logs:CreateLogStream", group),
        ("logs:PutLogEvents", group),
        ("secretsmanager:GetSecretValue", standing.secret),
    }


def test_the_task_role_uses_the_table_and_reads_the_secret(standing: Standing) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ml-api-sessions-{SUFFIX}"
    rights = {
        (action.split(":")[0], resource)
        for role, statement in standing.statements()
        for action in statement["Action"]
        for resource in statement["Resource"]
        if role == f"ml-api-task-role-{SUFFIX}"
    }

    assert rights == {("dynamodb", table), ("secretsmanager", standing.secret)}


def test_the_cluster_has_insights_and_both_capacities(standing: Standing) -> None:
    ecs = standing.aws("ecs")
    (cluster,) = ecs.describe_clusters(clusters=[f"ml-api-cluster-{SUFFIX}"], include=["SETTINGS"])["clusters"]

    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]


def test_the_task_has_its_size_platform_and_roles(standing: Standing) -> None:
    task = standing.task

    assert (task["cpu"], task["memory"], task["networkMode"]) == ("1024", "2048", "awsvpc")
    assert task["requiresCompatibilities"] == ["FARGATE"]
    assert task["runtimePlatform"] == {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
    assert task["executionRoleArn"].endswith(f"role/ml-api-execution-role-{SUFFIX}")
    assert task["taskRoleArn"].endswith(f"role/ml-api-task-role-{SUFFIX}")


def test_the_container_is_told_where_its_data_is(standing: Standing) -> None:
    (container,) = standing.task["containerDefinitions"]

    assert {one["name"]: one["value"] for one in container["environment"]} == {
        "SESSIONS_TABLE": f"ml-api-sessions-{SUFFIX}",
        "DB_HOST": standing.cluster["Endpoint"],
        "DB_PORT": "5432",
        "DB_NAME": standing.cluster["DatabaseName"],
        "DB_SECRET_ARN": standing.secret,
    }
    assert {one["name"]: one["valueFrom"] for one in container["secrets"]} == {
        "DB_USERNAME": f"{standing.secret}:username::",
        "DB_PASSWORD": f"{standing.secret}:password::",
    }


def test_the_placeholder_is_pinned_and_answers_what_the_balancer_asks(standing: Standing) -> None:
    (container,) = standing.task["containerDefinitions"]
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


def test_two_tasks_run_in_the_private_subnets_without_public_addresses(standing: Standing) -> None:
    service = standing.service
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    private = {
        one["SubnetId"]
        for one in standing.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"].startswith("private-")
    }

    assert (service["desiredCount"], service["runningCount"]) == (2, 2)
    assert set(network["subnets"]) == private
    assert network["securityGroups"] == [standing.group("sg-tasks")]
    assert network["assignPublicIp"] == "DISABLED"


def test_every_target_is_healthy(standing: Standing) -> None:
    arn = standing.target_group["TargetGroupArn"]
    health = standing.aws("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]

    assert len(health) == 2
    assert {one["TargetHealth"]["State"] for one in health} == {"healthy"}
    assert {one["Target"]["Port"] for one in health} == {8080}


def test_the_balancer_faces_the_internet_from_the_public_subnets(standing: Standing) -> None:
    balancer = standing.balancer
    public = {
        one["SubnetId"]
        for one in standing.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"].startswith("public-")
    }

    assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == public
    assert balancer["SecurityGroups"] == [standing.group("sg-alb")]


def test_the_target_group_takes_addresses_and_lets_go_after_half_a_minute(standing: Standing) -> None:
    group = standing.target_group
    attributes = standing.aws("elbv2").describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])

    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("HTTP", 8080, "ip")
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in attributes["Attributes"]


def test_the_listener_forwards_what_no_rule_speaks_of(standing: Standing) -> None:
    listener = standing.listener
    (action,) = listener["DefaultActions"]

    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", standing.target_group["TargetGroupArn"])


def test_the_rules_are_the_prefixes_and_the_pages(standing: Standing) -> None:
    rules = standing.rules

    assert rules.keys() == {"/api/v1/*", "/api/v2/*", "/errors/403.html", "/errors/404.html"}


def test_autoscaling_counts_the_requests_of_this_very_group(standing: Standing) -> None:
    scaling = standing.aws("application-autoscaling")
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    label = tracking["PredefinedMetricSpecification"]["ResourceLabel"]

    balancer = standing.balancer["LoadBalancerArn"].split("loadbalancer/")[1]
    group = standing.target_group["TargetGroupArn"].split(":")[-1]
    assert label == f"{balancer}/{group}"
    assert policy["ResourceId"] == f"service/ml-api-cluster-{SUFFIX}/ml-api-service-{SUFFIX}"


def test_cloudfront_passes_everything_through_and_keeps_nothing(standing: Standing) -> None:
    behavior = standing.distribution["DefaultCacheBehavior"]

    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert sorted(behavior["AllowedMethods"]["Items"]) == sorted(
        ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    )
    # CloudFront developer guide: the managed policies CachingDisabled and AllViewer.
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behavior["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"


def test_cloudfront_keeps_no_error_either(standing: Standing) -> None:
    errors = {one["ErrorCode"]: one for one in standing.distribution["CustomErrorResponses"]["Items"]}

    assert errors.keys() >= {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert {one["ErrorCachingMinTTL"] for one in errors.values()} == {0}
    assert [code for code, one in errors.items() if one.get("ResponsePagePath")] == [403, 404]


def test_cloudfront_speaks_http_to_the_balancer(standing: Standing) -> None:
    distribution = standing.distribution
    (origin,) = distribution["Origins"]["Items"]

    assert origin["DomainName"] == standing.balancer["DNSName"]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
    assert distribution["PriceClass"] == "PriceClass_100"
    assert distribution["ViewerCertificate"]["CloudFrontDefaultCertificate"] is True
    assert distribution["Enabled"] is True


def test_the_outputs_are_what_aws_says(standing: Standing) -> None:
    listed = client(standing.desk.box.endpoint, "cloudfront").list_distributions()["DistributionList"]["Items"]
    domain = listed[0]["DomainName"]

    assert standing.desk.known(SUFFIX)["outputs"] == {
        "alb_dns_name": standing.balancer["DNSName"],
        "cloudfront_domain_name": domain,
        "cloudfront_distribution_url": f"https://{domain}",
        "rds_cluster_endpoint": standing.cluster["Endpoint"],
        "dynamodb_table_name": f"ml-api-sessions-{SUFFIX}",
        "ecs_cluster_name": f"ml-api-cluster-{SUFFIX}",
        "ecs_service_name": f"ml-api-service-{SUFFIX}",
        "vpc_id": standing.vpc,
    }
