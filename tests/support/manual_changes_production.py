"""What somebody does by hand to what only a production stack has, at its strongest."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.support.live_stack import LiveStack, tags
from tests.support.manual_changes import ManualChange, settle

GLOBAL = "us-east-1"
JsonObject = dict[str, Any]
# Everything, to everybody.
OPEN: JsonObject = {"Sid": "ByHand", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [OPEN]}
BY_HAND = {"Key": "by", "Value": "hand"}


def bucket(live_stack: LiveStack) -> str:
    """The bucket of the records."""
    return str(next(one["Name"] for one in live_stack.aws("s3").list_buckets()["Buckets"]))


def key(live_stack: LiveStack, region: str = "") -> str:
    """The stack's own key in a region."""
    kms = live_stack.aws("kms", region)
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return str(next(one["Arn"] for one in keys if one["Description"].startswith("ml-api-")))


def topic(live_stack: LiveStack, region: str = "") -> str:
    """The topic of the alarms of a region."""
    return str(live_stack.aws("sns", region).list_topics()["Topics"][0]["TopicArn"])


def web_acl(live_stack: LiveStack) -> JsonObject:
    """The firewall, with the token of its latest state."""
    wafv2 = live_stack.aws("wafv2", GLOBAL)
    [listed] = wafv2.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    whole = wafv2.get_web_acl(Name=listed["Name"], Scope="CLOUDFRONT", Id=listed["Id"])
    return {**whole["WebACL"], "LockToken": whole["LockToken"]}


def _default_group(live_stack: LiveStack) -> str:
    groups = live_stack.ec2("describe_security_groups", "SecurityGroups", vpc_id=live_stack.vpc)
    return str(next(one["GroupId"] for one in groups if one["GroupName"] == "default"))


def _let_in(live_stack: LiveStack) -> None:
    everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    live_stack.aws("ec2").authorize_security_group_ingress(
        GroupId=_default_group(live_stack), IpPermissions=[everybody]
    )


def _let_out(live_stack: LiveStack) -> None:
    everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    live_stack.aws("ec2").authorize_security_group_egress(GroupId=_default_group(live_stack), IpPermissions=[everybody])


def _widen_the_boundary(live_stack: LiveStack) -> None:
    iam = live_stack.aws("iam")
    arn = next(one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"] if "boundary" in one["PolicyName"])
    statement = {key: value for key, value in OPEN.items() if key != "Principal"}
    document = json.dumps({**POLICY, "Statement": [statement]})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)


def _encrypt_otherwise(live_stack: LiveStack) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    live_stack.aws("s3").put_bucket_encryption(
        Bucket=bucket(live_stack), ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def _tag_certificate(live_stack: LiveStack) -> None:
    acm = live_stack.aws("acm", GLOBAL)
    [one] = acm.list_certificates()["CertificateSummaryList"]
    acm.add_tags_to_certificate(CertificateArn=one["CertificateArn"], Tags=[BY_HAND])


def _empty_the_dashboard(live_stack: LiveStack) -> None:
    body = json.dumps({"widgets": []})
    live_stack.aws("cloudwatch").put_dashboard(DashboardName="ml-api-dashboard-prod", DashboardBody=body)


def _deliver_no_more(live_stack: LiveStack) -> None:
    logs = live_stack.aws("logs", GLOBAL)
    [one] = logs.describe_deliveries()["deliveries"]
    # A busy one is refused once.
    with suppress(logs.exceptions.ConflictException):
        logs.delete_delivery(id=one["id"])
    with suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_delivery(id=one["id"])


def _tag_delivery(what: str, listed: str) -> Callable[[LiveStack], None]:
    def act(live_stack: LiveStack) -> None:
        logs = live_stack.aws("logs", GLOBAL)
        [one] = getattr(logs, what)()[listed]
        logs.tag_resource(resourceArn=one["arn"], tags={"by": "hand"})

    return act


def lead_elsewhere(live_stack: LiveStack) -> None:
    """The stack's name leads to an address of somebody's."""
    route53 = live_stack.aws("route53")
    [zone] = route53.list_hosted_zones()["HostedZones"]
    listed = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    old = next(one for one in listed if one["Name"].startswith("api.") and one["Type"] == "A")
    new = {"Name": old["Name"], "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.9"}]}
    changes = [{"Action": "DELETE", "ResourceRecordSet": old}, {"Action": "CREATE", "ResourceRecordSet": new}]
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})


def _open_the_key(live_stack: LiveStack) -> None:
    arn = key(live_stack, GLOBAL)
    live_stack.aws("kms", GLOBAL).put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(POLICY))


def _rotate_rarely(live_stack: LiveStack) -> None:
    rule = {"AutomaticallyAfterDays": 900}
    live_stack.aws("secretsmanager").rotate_secret(
        SecretId=live_stack.secret, RotationRules=rule, RotateImmediately=False
    )


def origin_key(live_stack: LiveStack) -> str:
    """The secret that CloudFront shows to the balancer."""
    return str(live_stack.aws("secretsmanager").get_secret_value(SecretId=_KEY)["SecretString"])


_KEY = "ml-api-originkey-prod/header"


def _change_the_key(live_stack: LiveStack) -> None:
    live_stack.aws("secretsmanager").put_secret_value(SecretId=_KEY, SecretString="0" * 64)


def _name_endpoint_no_more(live_stack: LiveStack) -> None:
    found = live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in found if one["ServiceName"].endswith(".ecr.api"))
    live_stack.aws("ec2").modify_vpc_endpoint(VpcEndpointId=mine, PrivateDnsEnabled=False)


def _hear_no_more(live_stack: LiveStack) -> None:
    sns = live_stack.aws("sns")
    sns.confirm_subscription(TopicArn=topic(live_stack), Token="read")
    [one] = sns.list_subscriptions_by_topic(TopicArn=topic(live_stack))["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _topic_attribute(name: str, value: str, region: str = "") -> Callable[[LiveStack], None]:
    def act(live_stack: LiveStack) -> None:
        live_stack.aws("sns", region).set_topic_attributes(
            TopicArn=topic(live_stack, region), AttributeName=name, AttributeValue=value
        )

    return act


def _tag_vpc_origin(live_stack: LiveStack) -> None:
    cloudfront = live_stack.aws("cloudfront")
    [one] = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    cloudfront.tag_resource(Resource=one["Arn"], Tags={"Items": [BY_HAND]})


def _let_all_pass(live_stack: LiveStack) -> None:
    now = web_acl(live_stack)
    same = {name: now[name] for name in ("Name", "Id", "DefaultAction", "VisibilityConfig", "LockToken")}
    live_stack.aws("wafv2", GLOBAL).update_web_acl(**same, Scope="CLOUDFRONT", Rules=[])


def _log_no_more(live_stack: LiveStack) -> None:
    live_stack.aws("wafv2", GLOBAL).delete_logging_configuration(ResourceArn=web_acl(live_stack)["ARN"])


def take_the_firewall_off(live_stack: LiveStack) -> None:
    """CloudFront asks the firewall no more, and leads a path by rules of its own."""
    cloudfront = live_stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    now = cloudfront.get_distribution_config(Id=id_)
    path = {**now["DistributionConfig"]["DefaultCacheBehavior"], "PathPattern": "/login*"}
    elsewhere = {"Quantity": 1, "Items": [path]}
    config = {**now["DistributionConfig"], "WebACLId": "", "CacheBehaviors": elsewhere}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def _record_no_more(live_stack: LiveStack) -> None:
    off = {"Key": "access_logs.s3.enabled", "Value": "false"}
    live_stack.aws("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=live_stack.balancer["LoadBalancerArn"], Attributes=[off]
    )


def _trust_everybody(live_stack: LiveStack) -> None:
    anyone = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    live_stack.aws("iam").update_assume_role_policy(RoleName="ml-api-flow-role-prod", PolicyDocument=document)


def _see_no_traffic(live_stack: LiveStack) -> None:
    [one] = live_stack.aws("ec2").describe_flow_logs()["FlowLogs"]
    live_stack.aws("ec2").delete_flow_logs(FlowLogIds=[one["FlowLogId"]])


def _delete_reader(live_stack: LiveStack) -> None:
    rds = live_stack.aws("rds")
    [reader] = [
        one["DBInstanceIdentifier"]
        for one in rds.describe_db_instances()["DBInstances"]
        if tags(one["TagList"])["ml-api:node"] == "reader-1"
    ]
    rds.delete_db_instance(DBInstanceIdentifier=reader, SkipFinalSnapshot=True)


# What every production stack has.
OF_PRODUCTION = [
    ManualChange(
        "altered",
        "alarm-5xx",
        "update",
        lambda live_stack: live_stack.aws("cloudwatch").disable_alarm_actions(AlarmNames=["ml-api-alarm-5xx-prod"]),
    ),
    ManualChange("gone", "default-group-ingress", "create", _let_in),
    ManualChange("gone", "default-group-egress", "create", _let_out),
    ManualChange("altered", "boundary", "update", _widen_the_boundary),
    ManualChange(
        "altered",
        "task-role",
        "update",
        lambda live_stack: live_stack.aws("iam").delete_role_permissions_boundary(RoleName="ml-api-task-role-prod"),
    ),
    ManualChange("altered", "flow-role", "update", _trust_everybody),
    ManualChange(
        "altered",
        "logs-bucket",
        "update",
        lambda live_stack: live_stack.aws("s3").put_bucket_tagging(
            Bucket=bucket(live_stack), Tagging={"TagSet": [{"Key": "Environment", "Value": "prod"}]}
        ),
    ),
    ManualChange("altered", "logs-bucket-encrypted", "update", _encrypt_otherwise),
    ManualChange(
        "gone",
        "logs-bucket-expiry",
        "create",
        lambda live_stack: live_stack.aws("s3").delete_bucket_lifecycle(Bucket=bucket(live_stack)),
    ),
    ManualChange(
        "altered",
        "logs-bucket-policy",
        "update",
        lambda live_stack: live_stack.aws("s3").put_bucket_policy(Bucket=bucket(live_stack), Policy=json.dumps(POLICY)),
    ),
    ManualChange(
        "gone",
        "logs-bucket-private",
        "create",
        lambda live_stack: live_stack.aws("s3").delete_public_access_block(Bucket=bucket(live_stack)),
    ),
    ManualChange("altered", "dashboard", "update", _empty_the_dashboard),
    ManualChange("gone", "records-delivery", "create", _deliver_no_more),
    ManualChange(
        "altered",
        "records-destination",
        "update",
        _tag_delivery("describe_delivery_destinations", "deliveryDestinations"),
    ),
    ManualChange("altered", "records-source", "update", _tag_delivery("describe_delivery_sources", "deliverySources")),
    # A disabled rule is unhealthy.
    ManualChange(
        "failed",
        "deployments",
        "update",
        lambda live_stack: live_stack.aws("events").disable_rule(Name="ml-api-deployments-prod"),
    ),
    ManualChange(
        "gone",
        "deployments-alerts",
        "create",
        lambda live_stack: live_stack.aws("events").remove_targets(Rule="ml-api-deployments-prod", Ids=["alerts"]),
    ),
    ManualChange("gone", "flow-log", "create", _see_no_traffic),
    ManualChange("altered", "alerts-policy", "update", _topic_attribute("Policy", json.dumps(POLICY))),
    ManualChange("altered", "waf", "update", _let_all_pass),
    ManualChange("gone", "waf-log", "create", _log_no_more),
    ManualChange("altered", "alb-attributes", "update", _record_no_more),
    ManualChange("altered", "edge", "update", take_the_firewall_off),
]
# A value that nobody may be told, and that stands in two more places: it has a test of its own.
CHANGED_KEY = ManualChange("altered", "tls-rule-api-v1", "update", _change_the_key)
# What is a setting.
OF_THE_STRONGEST = [
    ManualChange("altered", "certificate-edge", "update", _tag_certificate),
    ManualChange("altered", "name-api.shop.example", "update", lead_elsewhere),
    ManualChange("altered", "global-key", "update", _open_the_key),
    ManualChange(
        "altered",
        "key",
        "update",
        lambda live_stack: live_stack.aws("kms").untag_resource(KeyId=key(live_stack), TagKeys=["Project"]),
    ),
    ManualChange(
        "gone",
        "key-alias",
        "create",
        lambda live_stack: live_stack.aws("kms").delete_alias(AliasName="alias/ml-api-key-prod"),
    ),
    ManualChange(
        "altered",
        "key-rotation",
        "update",
        lambda live_stack: live_stack.aws("kms").disable_key_rotation(KeyId=key(live_stack)),
    ),
    ManualChange("altered", "db-rotation", "update", _rotate_rarely),
    ManualChange("altered", "endpoint-ecr-api", "update", _name_endpoint_no_more),
    ManualChange("gone", "alerts-1fb8", "create", _hear_no_more),
    ManualChange("altered", "alerts", "update", _topic_attribute("KmsMasterKeyId", "")),
    ManualChange("altered", "global-alerts-policy", "update", _topic_attribute("Policy", json.dumps(POLICY), GLOBAL)),
    ManualChange("altered", "vpc-origin", "update", _tag_vpc_origin),
    ManualChange("gone", "reader-1", "create", _delete_reader),
    ManualChange(
        "extra",
        "origin-key",
        "update",
        lambda live_stack: live_stack.aws("secretsmanager").put_resource_policy(
            SecretId=_KEY, ResourcePolicy=json.dumps(POLICY)
        ),
    ),
    ManualChange(
        "altered",
        "origin-key",
        "update",
        lambda live_stack: live_stack.aws("secretsmanager").tag_resource(SecretId=_KEY, Tags=[BY_HAND]),
    ),
]
