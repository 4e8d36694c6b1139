"""What breaks a standing stack in one place, and how `doctor` is to tell it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from provisioner.embedded.containers.journal import last_words
from provisioner.embedded.containers.life import end
from provisioner.embedded.containers.model import services
from provisioner.embedded.containers.scheduler import settle as settle_tasks
from provisioner.embedded.corrections.wafv2 import samples
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend
from provisioner.embedded.manners import lag
from provisioner.embedded.wire import Call
from tests.hands import DATABASE, TABLE, settle
from tests.inventory import client
from tests.standing import ACCOUNT, Standing

Act = Callable[[Standing], Any]
EXECUTION_ROLE = "ml-api-execution-role-prod"
NAME = "api.shop.example"


@dataclass(frozen=True)
class Break:
    """A check, the deed that it finds, what it says and tells to type.

    And the symptoms that follow, and the checks that cannot be made then.
    """

    check: str
    act: Act | None
    says: str
    type: str = "apply --suffix prod"
    symptoms: set[str] = field(default_factory=set)
    hides: set[str] = field(default_factory=set)


def reconfigure(stack: Standing, **changed: Any) -> None:
    """Change the distribution's configuration."""
    cloudfront = stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    now = cloudfront.get_distribution_config(Id=id_)
    config = {**now["DistributionConfig"], **changed}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def _origin(stack: Standing, **changed: Any) -> None:
    origins = stack.distribution["Origins"]
    reconfigure(stack, Origins={**origins, "Items": [{**origins["Items"][0], **changed}]})


def _wrong_key(stack: Standing) -> None:
    header = {"HeaderName": "X-Origin-Key", "HeaderValue": "guessed"}
    _origin(stack, CustomHeaders={"Quantity": 1, "Items": [header]})


def _rules(stack: Standing, group: str, *, out: bool) -> dict[str, Any]:
    """The first group of a name's kind, with all its rules on one side."""
    ec2 = stack.aws("ec2")
    [found] = ec2.describe_security_groups(GroupIds=[stack.group(group)])["SecurityGroups"]
    return {
        "GroupId": found["GroupId"],
        "IpPermissions": found["IpPermissionsEgress" if out else "IpPermissions"],
    }


def close_in(group: str) -> Act:
    """Take all rules for what comes into a group."""
    return lambda stack: stack.aws("ec2").revoke_security_group_ingress(**_rules(stack, group, out=False))


def _shut_in(stack: Standing) -> None:
    """Leave the tasks the database, and nothing of AWS."""
    rules = _rules(stack, "sg-tasks", out=True)
    https = [one for one in rules["IpPermissions"] if one["FromPort"] == 443]
    stack.aws("ec2").revoke_security_group_egress(GroupId=rules["GroupId"], IpPermissions=https)


def _insist(act: Callable[[], Any]) -> Any:
    """Act though AWS still hides what was just made."""
    for _ in range(lag.MISSES + lag.USES):
        with contextlib.suppress(ClientError):
            return act()
    return act()


def _lead_astray(stack: Standing) -> None:
    """Lead one path to a target group that no service is in."""
    elb = stack.aws("elbv2")
    made = elb.create_target_group(Name="stray", Protocol="HTTP", Port=80, VpcId=stack.vpc, TargetType="ip")[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    listed = elb.describe_rules(ListenerArn=stack.listener["ListenerArn"])["Rules"]
    one = next(rule for rule in listed if rule["Actions"][0]["Type"] == "forward")
    astray = [{"Type": "forward", "TargetGroupArn": made}]
    _insist(lambda: elb.modify_rule(RuleArn=one["RuleArn"], Actions=astray))


def _unhook_endpoint(stack: Standing) -> None:
    one = next(
        one
        for one in stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
        if one["ServiceName"].endswith(".s3")
    )
    stack.aws("ec2").modify_vpc_endpoint(
        VpcEndpointId=one["VpcEndpointId"], RemoveRouteTableIds=one["RouteTableIds"]
    )


def _cut_off(stack: Standing) -> None:
    """The NAT gateway of one zone goes, and leaves a route that leads nowhere."""
    gateway = stack.ec2("describe_nat_gateways", "NatGateways")[0]
    stack.aws("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def _distrust(stack: Standing) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    stack.aws("iam").update_assume_role_policy(RoleName=EXECUTION_ROLE, PolicyDocument=json.dumps(trust))


def _drop_table(stack: Standing) -> None:
    dynamodb = stack.aws("dynamodb")
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=TABLE)


def _lead_elsewhere(stack: Standing) -> None:
    """The name of the stack's own leads to another distribution."""
    route53 = stack.aws("route53")
    [zone] = route53.list_hosted_zones()["HostedZones"]
    there = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d0.cloudfront.net", "EvaluateTargetHealth": False}
    records = [{"Name": NAME, "Type": type_, "AliasTarget": there} for type_ in ("A", "AAAA")]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in records]
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})


def _drop_writer(stack: Standing) -> None:
    writer = stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    stack.aws("rds").delete_db_instance(DBInstanceIdentifier=writer, SkipFinalSnapshot=True)


def say(text: str) -> Act:
    """Let ECS say something of the service."""
    return lambda stack: _service(stack).say(text)


def _service(stack: Standing) -> Any:
    return services.at(ACCOUNT, stack.service["serviceArn"].split(":")[3])[stack.service["serviceArn"]]


def measure(space: str, where: Mapping[str, str], region: str = "", **values: float) -> Act:
    """Let AWS have measured something a minute ago, and in each of the periods before."""

    def put(stack: Standing) -> None:
        here = region or stack.service["serviceArn"].split(":")[3]
        dimensions = [{"Name": name, "Value": value} for name, value in where.items()]
        data = [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Value": value,
                "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes),
            }
            for name, value in values.items()
            for minutes in (1, 6, 11)
        ]
        client(stack.desk.box.endpoint, "cloudwatch", here).put_metric_data(Namespace=space, MetricData=data)

    return put


def _answer_badly(stack: Standing) -> None:
    where = {"LoadBalancer": stack.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]}
    measure("AWS/ApplicationELB", where, RequestCount=20, HTTPCode_Target_5XX_Count=7)(stack)


def _block(stack: Standing) -> None:
    """The common rule set blocks some of the requests."""
    waf = client(stack.desk.box.endpoint, "wafv2")
    [listed] = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    acl = waf.get_web_acl(Name=listed["Name"], Scope="CLOUDFRONT", Id=listed["Id"])["WebACL"]
    own = acl["VisibilityConfig"]["MetricName"]
    rule = next(one["VisibilityConfig"]["MetricName"] for one in acl["Rules"] if one["Name"] == "common")
    measure("AWS/WAFV2", {"WebACL": own, "Rule": "ALL"}, "us-east-1", AllowedRequests=40)(stack)
    measure("AWS/WAFV2", {"WebACL": own, "Rule": rule}, "us-east-1", BlockedRequests=10)(stack)
    request = {"ClientIP": "192.0.2.1", "Country": "CH", "URI": "/api/v1?token=secret", "Method": "POST"}
    seen = {"Request": request, "Weight": 1, "Action": "BLOCK", "RuleNameWithinRuleGroup": "NoUserAgent"}
    samples.at(ACCOUNT, "us-east-1")[f"{acl['ARN']}/{rule}"] = [seen]


def _fail(stack: Standing) -> None:
    """One task ends by itself, with its last words."""
    task = _service(stack).live[0]
    task.exit_code = 137
    task.container_reason = "OutOfMemoryError: Container killed due to memory usage"
    last_words(task, 137)
    end(task, "EssentialContainerExited", "Essential container in task exited")


def unmeasure(region: str) -> None:
    """Forget what was measured and said."""
    for place in (region, "us-east-1"):
        backend("cloudwatch", ACCOUNT, place).metric_data.clear()
        samples.at(ACCOUNT, place).clear()
        for one in services.at(ACCOUNT, place).values():
            one.tasks = one.live
            one.events.clear()
            settle_tasks(one)


@contextlib.contextmanager
def answering(*others: Answer) -> Iterator[None]:
    """AWS answers otherwise, for as long as this lasts: what no call of ours could bring about."""
    put = [(always.afters[one.service, one.operation], (one, _ever)) for one in others]
    for hooks, hook in put:
        hooks.append(hook)
    try:
        yield
    finally:
        for hooks, hook in put:
            hooks.remove(hook)


def _ever(_: Call) -> bool:
    return True


@dataclass(frozen=True)
class Answer:
    """What an operation tells under a key, each of many, or itself, says this besides what it says."""

    service: str
    operation: str
    key: str
    says: Mapping[str, Any]

    def __call__(self, _: Call, reply: dict[str, Any]) -> None:
        """Edit the reply in place."""
        listed = reply[self.key] if self.key else reply
        for one in listed if isinstance(listed, list) else [listed]:
            one.update(self.says)


# What `apply` mends, which is what is told to be typed.
MENDED: list[Break] = [
    Break("distribution", lambda stack: reconfigure(stack, Enabled=False), "is disabled"),
    Break("dns", _lead_elsewhere, f"{NAME} leads to d0.cloudfront.net"),
    Break("path-in", close_in("sg-alb"), "lets CloudFront in on port 443"),
    Break(
        "log-group",
        lambda stack: stack.aws("logs").delete_log_group(logGroupName="/aws/ecs/ml-api-prod"),
        "log group /aws/ecs/ml-api-prod of the container",
    ),
    Break("routes", _cut_off, "which is gone"),
    Break("path", close_in("sg-db"), "on port 5432"),
    Break("origin-header", _wrong_key, "values are not shown"),
    Break("rules", _lead_astray, "which no service is in", symptoms={"targets"}),
    Break(
        "secret-rights",
        lambda stack: stack.aws("iam").delete_role_policy(RoleName=EXECUTION_ROLE, PolicyName="secrets"),
        "may not call secretsmanager:GetSecretValue",
        symptoms={"key"},  # the same policy lets it open what is under the stack's key
    ),
    Break("endpoints", _unhook_endpoint, "adds no route to"),
    Break("writer", _drop_writer, "no instance that writes"),
    Break(
        "origin",
        lambda stack: _origin(stack, DomainName="old.shop.example"),
        "CloudFront asks old.shop.example",
    ),
    Break("path-to-tasks", close_in("sg-tasks"), "does not let the load balancer", symptoms={"targets"}),
    Break("roles", _distrust, "does not trust ecs-tasks.amazonaws.com"),
    Break("way-to-aws", _shut_in, "lets them out on port 443"),
    Break("table", _drop_table, "There is no table ml-api-sessions-prod", hides={"throttles"}),
]


_ON_DEMAND = {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "Fargate", "Type": "Resource"}
# What is refused or measured: no `apply` mends it.
MEASURED: list[Break] = [
    Break("firewall", _block, "blocked 30 of 150 requests", "apply --set waf.common=count"),
    Break("answers", _answer_badly, "21 of 60 requests in the last hour", "logs --since 1h"),
    Break(
        "placement",
        say("was unable to place a task. Reason: You've reached the limit on the number of vCPUs."),
        "unable to place a task",
        "--quota-code L-3032A538",
    ),
    Break(
        "quotas",
        measure("AWS/Usage", _ON_DEMAND, ResourceCount=60.0),
        "60 of 60 processors of FARGATE are used",
        "request-service-quota-increase",
    ),
    Break(
        "stopped",
        _fail,
        "ended with exit code 137: OutOfMemoryError",
        "logs --since 1h",
        symptoms={"running"},
    ),
    Break(
        "capacity",
        measure("AWS/RDS", {"DBClusterIdentifier": DATABASE}, ACUUtilization=100.0),
        "largest capacity",
        "apply --set database.max_acu=",
    ),
    Break(
        "throttles",
        measure("AWS/DynamoDB", {"TableName": TABLE}, WriteThrottleEvents=3.0),
        "refused 0 reads and 9 writes",
        "aws dynamodb describe-table",
    ),
]

_SOON = datetime.now(UTC) + timedelta(days=5)
_SICK = {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch", "Description": "codes: [500]"}
# What no call of ours brings about: AWS answers so, and `doctor` tells it.
ANSWERED: list[tuple[Answer, Break]] = [
    (
        Answer("acm", "DescribeCertificate", "Certificate", {"NotAfter": _SOON}),
        Break("certificate", None, "ends in 4 days", "aws acm describe-certificate"),
    ),
    (
        Answer("elbv2", "DescribeLoadBalancers", "LoadBalancers", {"State": {"Code": "failed"}}),
        Break("balancer", None, "is failed"),
    ),
    (
        Answer("elbv2", "DescribeTargetHealth", "TargetHealthDescriptions", {"TargetHealth": _SICK}),
        Break("targets", None, "Target.ResponseCodeMismatch (codes: [500])", "logs --since 15m"),
    ),
    (
        Answer("kms", "DescribeKey", "KeyMetadata", {"KeyState": "Disabled"}),
        Break("key", None, "is Disabled", "aws kms enable-key"),
    ),
    (
        Answer("secretsmanager", "DescribeSecret", "", {"VersionIdsToStages": {"a": ["AWSPREVIOUS"]}}),
        Break("secrets", None, "has no current value"),
    ),
    (
        Answer("ecs", "DescribeServices", "services", {"runningCount": 1, "pendingCount": 1}),
        Break("running", None, "1 of 2 tasks", "status --suffix prod"),
    ),
    (
        Answer("ec2", "DescribeNatGateways", "NatGateways", {"State": "failed", "FailureMessage": "No IGW"}),
        Break("nat", None, "is failed: No IGW"),
    ),
    (
        Answer("ec2", "DescribeSubnets", "Subnets", {"AvailableIpAddressCount": 3}),
        Break("addresses", None, "has 3 free addresses", "aws ec2 describe-network-interfaces"),
    ),
    (
        Answer("rds", "DescribeDBClusters", "DBClusters", {"Status": "stopped"}),
        Break("cluster", None, "is stopped", "aws rds start-db-cluster"),
    ),
    (
        Answer("rds", "DescribeDBSubnetGroups", "DBSubnetGroups", {"VpcId": "vpc-other"}),
        Break("subnet-group", None, "lies in vpc-other"),
    ),
]
