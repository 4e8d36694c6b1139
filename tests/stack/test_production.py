"""The production profile, a row for each of its points, judged from what AWS says."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from tests.faults.seeds import SEED
from tests.stack.test_drift import drift
from tests.support.account_inventory import client, inventory
from tests.support.live_stack import ACCOUNT, LiveStack
from tests.support.manual_changes_production import OF_PRODUCTION
from tests.support.user import User

SUFFIX, REGION = "prod", "eu-west-1"
SETTINGS = {"MLAPI_PROFILE": "production", "MLAPI_ALARMS__EMAILS": '["ops@shop.example"]'}


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A production stack in a region that is not CloudFront's."""
    plain = User.before(served, tmp_path_factory.mktemp("production"))
    user = dataclasses.replace(plain, environment=SETTINGS)
    user.apply(SUFFIX, "--region", REGION)
    return user


def aws(user: User, service: str, region: str = REGION) -> Any:
    return client(user.box.endpoint, service, region)


def test_the_vpc_logs_its_traffic(user: User) -> None:
    [log] = aws(user, "ec2").describe_flow_logs()["FlowLogs"]
    [vpc] = aws(user, "ec2").describe_vpcs(Filters=[{"Name": "tag:Environment", "Values": [SUFFIX]}])["Vpcs"]

    assert (log["ResourceId"], log["TrafficType"]) == (vpc["VpcId"], "ALL")
    assert log["LogGroupName"] == f"/aws/vpc/ml-api-{SUFFIX}"
    groups = aws(user, "logs").describe_log_groups(logGroupNamePrefix="/aws/vpc/")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [30]


def test_the_default_group_of_the_vpc_has_no_rule(user: User) -> None:
    [vpc] = aws(user, "ec2").describe_vpcs(Filters=[{"Name": "tag:Environment", "Values": [SUFFIX]}])["Vpcs"]
    asked = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    [group] = aws(user, "ec2").describe_security_groups(Filters=asked)["SecurityGroups"]

    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_a_firewall_stands_before_the_edge(user: User) -> None:
    waf = aws(user, "wafv2", "us-east-1")
    [listed] = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    acl = waf.get_web_acl(Name=listed["Name"], Scope="CLOUDFRONT", Id=listed["Id"])["WebACL"]
    rules = {rule["Name"]: rule for rule in acl["Rules"]}

    assert list(rules) == ["rate", "reputation", "common", "bad-inputs"]
    assert rules["rate"]["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    softened = rules["common"]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert softened == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    [edge] = aws(user, "cloudfront").list_distributions()["DistributionList"]["Items"]
    assert edge["WebACLId"] == listed["ARN"]


def test_the_firewall_logs_no_logins_and_where_cloudfront_lives(user: User) -> None:
    waf, logs = aws(user, "wafv2", "us-east-1"), aws(user, "logs", "us-east-1")
    [listed] = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    told = waf.get_logging_configuration(ResourceArn=listed["ARN"])["LoggingConfiguration"]
    [group] = logs.describe_log_groups(logGroupNamePrefix="aws-waf-logs-")["logGroups"]

    assert group["logGroupName"] == f"aws-waf-logs-ml-api-{SUFFIX}"
    assert told["LogDestinationConfigs"] == [group["arn"].removesuffix(":*")]
    assert {field["SingleHeader"]["Name"] for field in told["RedactedFields"]} == {"authorization", "cookie"}


def test_every_answer_bears_the_security_headers(user: User) -> None:
    cloudfront = aws(user, "cloudfront")
    [edge] = cloudfront.list_distributions()["DistributionList"]["Items"]
    policy = edge["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
    told = cloudfront.get_response_headers_policy(Id=policy)["ResponseHeadersPolicy"]

    assert told["ResponseHeadersPolicyConfig"]["Name"] == "Managed-SecurityHeadersPolicy"


def test_what_is_not_well_rings(user: User) -> None:
    rings: dict[str, list[str]] = {}
    for region in (REGION, "us-east-1"):
        for alarm in aws(user, "cloudwatch", region).describe_alarms()["MetricAlarms"]:
            if alarm["AlarmName"].startswith("ml-api-alarm-"):
                rings.setdefault(region, []).append(alarm["AlarmName"].removesuffix(f"-{SUFFIX}"))
                [topic] = alarm["AlarmActions"]
                assert topic.split(":")[3] == region

    here = ["5xx", "target-5xx", "unhealthy", "latency", "tasks", "acu", "db-cpu", "db-connections"]
    assert sorted(rings[REGION]) == sorted(f"ml-api-alarm-{name}" for name in [*here, "throttles"])
    assert rings["us-east-1"] == ["ml-api-alarm-waf"]


def test_the_firewall_is_measured_by_what_cloudwatch_calls_it(user: User) -> None:
    """Both dimensions are metric names (WAF developer guide, metrics and dimensions)."""
    waf, cloudwatch = aws(user, "wafv2", "us-east-1"), aws(user, "cloudwatch", "us-east-1")
    (listed,) = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    acl = waf.get_web_acl(Scope="CLOUDFRONT", Name=listed["Name"], Id=listed["Id"])["WebACL"]
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    (where,) = (one["Dimensions"] for one in alarms if one["MetricName"] == "BlockedRequests")

    assert {one["Name"]: one["Value"] for one in where} == {
        "WebACL": acl["VisibilityConfig"]["MetricName"],
        "Rule": "ALL",
    }


@pytest.mark.parametrize("region", [REGION, "us-east-1"])
def test_an_alarm_is_heard(user: User, region: str) -> None:
    sns = aws(user, "sns", region)
    [topic] = sns.list_topics()["Topics"]
    [heard] = sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["Policy"])

    assert (heard["Protocol"], heard["Endpoint"]) == ("email", "ops@shop.example")
    speakers = {one["Principal"]["Service"]: one["Condition"] for one in policy["Statement"]}
    assert speakers.keys() == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert all(speakers.values())


def test_a_failed_deployment_is_told(user: User) -> None:
    events = aws(user, "events")
    rule = events.describe_rule(Name=f"ml-api-deployments-{SUFFIX}")
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    cluster = f"ml-api-cluster-{SUFFIX}"
    service = aws(user, "ecs").list_services(cluster=cluster)["serviceArns"]

    assert json.loads(rule["EventPattern"])["detail"] == {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}
    assert json.loads(rule["EventPattern"])["resources"] == service
    assert ":ml-api-alerts-" in target["Arn"]


def test_one_dashboard_shows_what_rings(user: User) -> None:
    body = aws(user, "cloudwatch").get_dashboard(DashboardName=f"ml-api-dashboard-{SUFFIX}")["DashboardBody"]
    widgets = json.loads(body)["widgets"]

    assert len(widgets) == 10
    assert {widget["properties"]["region"] for widget in widgets} == {REGION, "us-east-1"}


def test_a_task_can_write_nothing_but_its_scratch_and_has_no_capability(user: User) -> None:
    ecs, cluster = aws(user, "ecs"), f"ml-api-cluster-{SUFFIX}"
    [service] = ecs.describe_services(cluster=cluster, services=[f"ml-api-service-{SUFFIX}"])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    containers = {one["name"]: one for one in task["containerDefinitions"]}

    for one in containers.values():
        assert one["readonlyRootFilesystem"] is True
        assert one["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert containers["api"]["dependsOn"] == [{"containerName": "scratch", "condition": "SUCCESS"}]
    assert [mount["containerPath"] for mount in containers["api"]["mountPoints"]] == ["/tmp"]
    assert containers["scratch"]["essential"] is False
    assert "user" not in containers["api"]
    assert service["runningCount"] == service["desiredCount"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("container.drop_capabilities=false", "linuxParameters"),
        ("container.readonly_root=false", "readonlyRootFilesystem"),
        ("roles.bound_trust=false", "AssumeRolePolicyDocument.Statement.0.Condition"),
        ("waf.body_size=block", "RuleActionOverrides"),
        ("waf.bad_inputs=off", "Rules.bad-inputs"),
    ],
)
def test_what_is_taken_back_is_taken_back(user: User, setting: str, told: str) -> None:
    assert told in user.plan(SUFFIX, "--set", setting)


@pytest.mark.parametrize(
    "more",
    [
        {"privileged": True},
        {"dockerSecurityOptions": ["no-new-privileges"]},
        {"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64}]}},
        {"linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}},
    ],
)
def test_the_embedded_aws_refuses_what_fargate_refuses(user: User, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="Fargate"):
        aws(user, "ecs").register_task_definition(
            family="bad",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "a", "image": "b", **more}],
        )


def test_a_task_logs_in_as_one_user_of_this_database(user: User) -> None:
    [cluster] = aws(user, "rds").describe_db_clusters()["DBClusters"]
    role = {"RoleName": f"ml-api-task-role-{SUFFIX}", "PolicyName": "use"}
    document = aws(user, "iam").get_role_policy(**role)["PolicyDocument"]
    [connect] = [one for one in document["Statement"] if one["Action"] == ["rds-db:connect"]]

    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    login = f"dbuser:{cluster['DbClusterResourceId']}/mlapi_app"
    assert connect["Resource"] == [f"arn:aws:rds-db:{REGION}:{ACCOUNT}:{login}"]


def test_a_snapshot_bears_the_tags_of_its_database(user: User) -> None:
    assert aws(user, "rds").describe_db_clusters()["DBClusters"][0]["CopyTagsToSnapshot"] is True


@pytest.mark.parametrize("role", ["execution-role", "task-role", "flow-role"])
def test_a_role_is_taken_for_this_account_alone(user: User, role: str) -> None:
    told = aws(user, "iam").get_role(RoleName=f"ml-api-{role}-{SUFFIX}")["Role"]
    [statement] = told["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    sources = {"execution-role": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"}
    sources["task-role"] = sources["execution-role"]
    sources["flow-role"] = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": sources[role]}


# Every wildcard in a policy of the stack, and why it cannot be narrower.
_WILDCARDS = {
    "arn:aws:logs:eu-west-1:123456789012:log-group:*": "DescribeLogGroups lists; it takes no single group",
    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ecs/ml-api-prod:*": "the streams of one group",
    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vpc/ml-api-prod:*": "the streams of one group",
}


def test_no_policy_has_a_wildcard_without_a_reason(user: User) -> None:
    iam, found = aws(user, "iam"), set()
    for role in iam.list_roles(PathPrefix="/")["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                resources, actions = statement["Resource"], statement["Action"]
                assert not any("*" in action for action in actions)
                found |= {one for one in resources if "*" in one}

    assert found == _WILDCARDS.keys()


def test_every_request_is_recorded_in_one_bucket(user: User) -> None:
    s3, logs = aws(user, "s3"), aws(user, "logs", "us-east-1")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert bucket == f"ml-api-logs-{SUFFIX}-{ACCOUNT}-{REGION}"
    [balancer] = aws(user, "elbv2").describe_load_balancers()["LoadBalancers"]
    told = aws(user, "elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
    attributes = {one["Key"]: one["Value"] for one in told["Attributes"]}
    assert attributes["access_logs.s3.enabled"] == "true"
    assert (attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]) == (bucket, "alb")
    [delivery] = logs.describe_deliveries()["deliveries"]
    source = logs.get_delivery_source(name=delivery["deliverySourceName"])["deliverySource"]
    [edge] = aws(user, "cloudfront").list_distributions()["DistributionList"]["Items"]
    assert source["resourceArns"] == [edge["ARN"]]


def test_the_balancers_records_are_read_from_the_bucket(user: User) -> None:
    now = datetime.now(UTC)
    line = f'http {now.isoformat()} app/ml-api-alb-prod/50 192.0.2.1:1 10.0.0.1:80 0 0 0 200 200 "GET /"'
    folder = f"alb/AWSLogs/123456789012/elasticloadbalancing/{REGION}/{now:%Y/%m/%d}"
    body = gzip.compress(line.encode())
    bucket = f"ml-api-logs-{SUFFIX}-123456789012-{REGION}"
    aws(user, "s3").put_object(Bucket=bucket, Key=f"{folder}/one.log.gz", Body=body)

    asked = ("--suffix", SUFFIX, "--json")
    (policy,) = user.well("policy", "--for", "logs", "--expect-account", ACCOUNT, *asked).lines
    user.box.authorise(*policy["policies"])
    try:
        (told,) = user.well("logs", "--from", "alb", *asked).lines
        assert user.well("logs", "--from", "firewall", *asked).lines == []
    finally:
        user.box.authorise()

    assert told["message"] == line
    assert told["service"] == "ml-api-alb-prod"


def test_the_bucket_is_private_encrypted_passing_and_takes_no_plain_connection(user: User) -> None:
    s3, bucket = aws(user, "s3"), f"ml-api-logs-{SUFFIX}-{ACCOUNT}-{REGION}"

    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    [expiry] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (expiry["Status"], expiry["Expiration"]["Days"]) == ("Enabled", 30)
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    [plain] = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_share_of_the_day_of_what_is_done_by_hand_is_told_and_mended(user: User) -> None:
    live_stack = LiveStack(user, REGION)
    hands = random.Random(SEED).sample(OF_PRODUCTION, 8)
    for hand in hands:
        hand.act(live_stack)

    told = {(one["node"], one["what"]) for one in drift(live_stack)}
    user.apply(SUFFIX)

    assert told == {(hand.node, hand.what) for hand in hands}, f"FAULT_SEED={SEED}"
    assert drift(live_stack) == []


@pytest.mark.slow
def test_it_ends_without_its_ledger_and_without_being_told_its_settings(served: LocalAws, tmp_path: Path) -> None:
    user = User.before(served, tmp_path)
    empty = inventory(user.box.endpoint)
    user.apply(
        "a",
        *("--set", "profile=production", "--set", "network.nat=per_zone", "--set", "network.zones=4"),
        *("--set", "database.readers=2", "--set", "database.monitoring=60"),
    )
    user.ledger("a").unlink()
    [bucket] = client(user.box.endpoint, "s3").list_buckets()["Buckets"]
    client(user.box.endpoint, "s3").delete_bucket_policy(Bucket=bucket["Name"])
    client(user.box.endpoint, "s3").put_object(Bucket=bucket["Name"], Key="alb/record", Body=b"1")

    user.teardown("a", "--unprotect")

    assert inventory(user.box.endpoint) == empty
