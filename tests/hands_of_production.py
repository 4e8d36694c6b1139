"""What somebody does by hand to what only a production stack has, at its strongest."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.hands import Hand, settle
from tests.standing import Standing, tags

GLOBAL = "us-east-1"
Doc = dict[str, Any]
# Everything, to everybody.
OPEN: Doc = {"Sid": "ByHand", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [OPEN]}
BY_HAND = {"Key": "by", "Value": "hand"}


def bucket(stack: Standing) -> str:
    """The bucket of the records."""
    return str(next(one["Name"] for one in stack.aws("s3").list_buckets()["Buckets"]))


def key(stack: Standing, region: str = "") -> str:
    """The stack's own key in a region."""
    kms = stack.aws("kms", region)
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return str(next(one["Arn"] for one in keys if one["Description"].startswith("ml-api-")))


def topic(stack: Standing, region: str = "") -> str:
    """The topic of the alarms of a region."""
    return str(stack.aws("sns", region).list_topics()["Topics"][0]["TopicArn"])


def web_acl(stack: Standing) -> Doc:
    """The firewall, with the token of its latest state."""
    wafv2 = stack.aws("wafv2", GLOBAL)
    [listed] = wafv2.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    whole = wafv2.get_web_acl(Name=listed["Name"], Scope="CLOUDFRONT", Id=listed["Id"])
    return {**whole["WebACL"], "LockToken": whole["LockToken"]}


def _default_group(stack: Standing) -> str:
    groups = stack.ec2("describe_security_groups", "SecurityGroups", vpc_id=stack.vpc)
    return str(next(one["GroupId"] for one in groups if one["GroupName"] == "default"))


def _let_in(stack: Standing) -> None:
    everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    stack.aws("ec2").authorize_security_group_ingress(GroupId=_default_group(stack), IpPermissions=[everybody])


def _let_out(stack: Standing) -> None:
    everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    stack.aws("ec2").authorize_security_group_egress(GroupId=_default_group(stack), IpPermissions=[everybody])


def _widen_the_boundary(stack: Standing) -> None:
    iam = stack.aws("iam")
    arn = next(one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"] if "boundary" in one["PolicyName"])
    statement = {key: value for key, value in OPEN.items() if key != "Principal"}
    document = json.dumps({**POLICY, "Statement": [statement]})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)


def _encrypt_otherwise(stack: Standing) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    stack.aws("s3").put_bucket_encryption(Bucket=bucket(stack), ServerSideEncryptionConfiguration={"Rules": [rule]})


def _tag_certificate(stack: Standing) -> None:
    acm = stack.aws("acm", GLOBAL)
    [one] = acm.list_certificates()["CertificateSummaryList"]
    acm.add_tags_to_certificate(CertificateArn=one["CertificateArn"], Tags=[BY_HAND])


def _empty_the_dashboard(stack: Standing) -> None:
    body = json.dumps({"widgets": []})
    stack.aws("cloudwatch").put_dashboard(DashboardName="ml-api-dashboard-prod", DashboardBody=body)


def _deliver_no_more(stack: Standing) -> None:
    logs = stack.aws("logs", GLOBAL)
    [one] = logs.describe_deliveries()["deliveries"]
    # A busy one is refused once.
    with suppress(logs.exceptions.ConflictException):
        logs.delete_delivery(id=one["id"])
    with suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_delivery(id=one["id"])


def _tag_delivery(what: str, listed: str) -> Callable[[Standing], None]:
    def act(stack: Standing) -> None:
        logs = stack.aws("logs", GLOBAL)
        [one] = getattr(logs, what)()[listed]
        logs.tag_resource(resourceArn=one["arn"], tags={"by": "hand"})

    return act


def lead_elsewhere(stack: Standing) -> None:
    """The stack's name leads to an address of somebody's."""
    route53 = stack.aws("route53")
    [zone] = route53.list_hosted_zones()["HostedZones"]
    listed = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    old = next(one for one in listed if one["Name"].startswith("api.") and one["Type"] == "A")
    new = {"Name": old["Name"], "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.9"}]}
    changes = [{"Action": "DELETE", "ResourceRecordSet": old}, {"Action": "CREATE", "ResourceRecordSet": new}]
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})


def _open_the_key(stack: Standing) -> None:
    arn = key(stack, GLOBAL)
    stack.aws("kms", GLOBAL).put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(POLICY))


def _rotate_rarely(stack: Standing) -> None:
    rule = {"AutomaticallyAfterDays": 900}
    stack.aws("secretsmanager").rotate_secret(SecretId=stack.secret, RotationRules=rule, RotateImmediately=False)


def origin_key(stack: Standing) -> str:
    """The secret that CloudFront shows to the balancer."""
    return str(stack.aws("secretsmanager").get_secret_value(SecretId=_KEY)["SecretString"])


_KEY = "ml-api-originkey-prod/header"


def _change_the_key(stack: Standing) -> None:
    stack.aws("secretsmanager").put_secret_value(SecretId=_KEY, SecretString="0" * 64)


def _name_endpoint_no_more(stack: Standing) -> None:
    found = stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in found if one["ServiceName"].endswith(".ecr.api"))
    stack.aws("ec2").modify_vpc_endpoint(VpcEndpointId=mine, PrivateDnsEnabled=False)


def _hear_no_more(stack: Standing) -> None:
    sns = stack.aws("sns")
    sns.confirm_subscription(TopicArn=topic(stack), Token="read")
    [one] = sns.list_subscriptions_by_topic(TopicArn=topic(stack))["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _topic_attribute(name: str, value: str, region: str = "") -> Callable[[Standing], None]:
    def act(stack: Standing) -> None:
        stack.aws("sns", region).set_topic_attributes(
            TopicArn=topic(stack, region), AttributeName=name, AttributeValue=value
        )

    return act


def _tag_vpc_origin(stack: Standing) -> None:
    cloudfront = stack.aws("cloudfront")
    [one] = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    cloudfront.tag_resource(Resource=one["Arn"], Tags={"Items": [BY_HAND]})


def _let_all_pass(stack: Standing) -> None:
    now = web_acl(stack)
    same = {name: now[name] for name in ("Name", "Id", "DefaultAction", "VisibilityConfig", "LockToken")}
    stack.aws("wafv2", GLOBAL).update_web_acl(**same, Scope="CLOUDFRONT", Rules=[])


def _log_no_more(stack: Standing) -> None:
    stack.aws("wafv2", GLOBAL).delete_logging_configuration(ResourceArn=web_acl(stack)["ARN"])


def take_the_firewall_off(stack: Standing) -> None:
    """CloudFront asks the firewall no more, and leads a path by rules of its own."""
    cloudfront = stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    now = cloudfront.get_distribution_config(Id=id_)
    path = {**now["DistributionConfig"]["DefaultCacheBehavior"], "PathPattern": "/login*"}
    elsewhere = {"Quantity": 1, "Items": [path]}
    config = {**now["DistributionConfig"], "WebACLId": "", "CacheBehaviors": elsewhere}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def _record_no_more(stack: Standing) -> None:
    off = {"Key": "access_logs.s3.enabled", "Value": "false"}
    stack.aws("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=stack.balancer["LoadBalancerArn"], Attributes=[off]
    )


def _trust_everybody(stack: Standing) -> None:
    anyone = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    stack.aws("iam").update_assume_role_policy(RoleName="ml-api-flow-role-prod", PolicyDocument=document)


def _see_no_traffic(stack: Standing) -> None:
    [one] = stack.aws("ec2").describe_flow_logs()["FlowLogs"]
    stack.aws("ec2").delete_flow_logs(FlowLogIds=[one["FlowLogId"]])


def _delete_reader(stack: Standing) -> None:
    rds = stack.aws("rds")
    [reader] = [
        one["DBInstanceIdentifier"]
        for one in rds.describe_db_instances()["DBInstances"]
        if tags(one["TagList"])["ml-api:node"] == "reader-1"
    ]
    rds.delete_db_instance(DBInstanceIdentifier=reader, SkipFinalSnapshot=True)


# What every production stack has.
OF_PRODUCTION = [
    Hand(
        "altered",
        "alarm-5xx",
        "update",
        lambda stack: stack.aws("cloudwatch").disable_alarm_actions(AlarmNames=["ml-api-alarm-5xx-prod"]),
    ),
    Hand("gone", "default-group-ingress", "create", _let_in),
    Hand("gone", "default-group-egress", "create", _let_out),
    Hand("altered", "boundary", "update", _widen_the_boundary),
    Hand(
        "altered",
        "task-role",
        "update",
        lambda stack: stack.aws("iam").delete_role_permissions_boundary(RoleName="ml-api-task-role-prod"),
    ),
    Hand("altered", "flow-role", "update", _trust_everybody),
    Hand(
        "altered",
        "logs-bucket",
        "update",
        lambda stack: stack.aws("s3").put_bucket_tagging(
            Bucket=bucket(stack), Tagging={"TagSet": [{"Key": "Environment", "Value": "prod"}]}
        ),
    ),
    Hand("altered", "logs-bucket-encrypted", "update", _encrypt_otherwise),
    Hand(
        "gone",
        "logs-bucket-expiry",
        "create",
        lambda stack: stack.aws("s3").delete_bucket_lifecycle(Bucket=bucket(stack)),
    ),
    Hand(
        "altered",
        "logs-bucket-policy",
        "update",
        lambda stack: stack.aws("s3").put_bucket_policy(Bucket=bucket(stack), Policy=json.dumps(POLICY)),
    ),
    Hand(
        "gone",
        "logs-bucket-private",
        "create",
        lambda stack: stack.aws("s3").delete_public_access_block(Bucket=bucket(stack)),
    ),
    Hand("altered", "dashboard", "update", _empty_the_dashboard),
    Hand("gone", "records-delivery", "create", _deliver_no_more),
    Hand(
        "altered",
        "records-destination",
        "update",
        _tag_delivery("describe_delivery_destinations", "deliveryDestinations"),
    ),
    Hand("altered", "records-source", "update", _tag_delivery("describe_delivery_sources", "deliverySources")),
    # A disabled rule is unhealthy.
    Hand(
        "failed",
        "deployments",
        "update",
        lambda stack: stack.aws("events").disable_rule(Name="ml-api-deployments-prod"),
    ),
    Hand(
        "gone",
        "deployments-alerts",
        "create",
        lambda stack: stack.aws("events").remove_targets(Rule="ml-api-deployments-prod", Ids=["alerts"]),
    ),
    Hand("gone", "flow-log", "create", _see_no_traffic),
    Hand("altered", "alerts-policy", "update", _topic_attribute("Policy", json.dumps(POLICY))),
    Hand("altered", "waf", "update", _let_all_pass),
    Hand("gone", "waf-log", "create", _log_no_more),
    Hand("altered", "alb-attributes", "update", _record_no_more),
    Hand("altered", "edge", "update", take_the_firewall_off),
]
# A value that nobody may be told, and that stands in two more places: it has a test of its own.
CHANGED_KEY = Hand("altered", "tls-rule-api-v1", "update", _change_the_key)
# What is a setting.
OF_THE_STRONGEST = [
    Hand("altered", "certificate-edge", "update", _tag_certificate),
    Hand("altered", "name-api.shop.example", "update", lead_elsewhere),
    Hand("altered", "global-key", "update", _open_the_key),
    Hand(
        "altered",
        "key",
        "update",
        lambda stack: stack.aws("kms").untag_resource(KeyId=key(stack), TagKeys=["Project"]),
    ),
    Hand(
        "gone",
        "key-alias",
        "create",
        lambda stack: stack.aws("kms").delete_alias(AliasName="alias/ml-api-key-prod"),
    ),
    Hand(
        "altered",
        "key-rotation",
        "update",
        lambda stack: stack.aws("kms").disable_key_rotation(KeyId=key(stack)),
    ),
    Hand("altered", "db-rotation", "update", _rotate_rarely),
    Hand("altered", "endpoint-ecr-api", "update", _name_endpoint_no_more),
    Hand("gone", "alerts-1fb8", "create", _hear_no_more),
    Hand("altered", "alerts", "update", _topic_attribute("KmsMasterKeyId", "")),
    Hand("altered", "global-alerts-policy", "update", _topic_attribute("Policy", json.dumps(POLICY), GLOBAL)),
    Hand("altered", "vpc-origin", "update", _tag_vpc_origin),
    Hand("gone", "reader-1", "create", _delete_reader),
    Hand(
        "extra",
        "origin-key",
        "update",
        lambda stack: stack.aws("secretsmanager").put_resource_policy(SecretId=_KEY, ResourcePolicy=json.dumps(POLICY)),
    ),
    Hand(
        "altered",
        "origin-key",
        "update",
        lambda stack: stack.aws("secretsmanager").tag_resource(SecretId=_KEY, Tags=[BY_HAND]),
    ),
]
