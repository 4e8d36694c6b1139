"""Corrections of DynamoDB, Logs, CloudWatch, Secrets Manager, ACM, Route 53, WAF, IAM and auto scaling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of


def table(aws: Client, **given: Any) -> Any:
    key = {"AttributeName": "k", "KeyType": "HASH"}
    attribute = {"AttributeName": "k", "AttributeType": "S"}
    made = aws("dynamodb").create_table(
        TableName="t",
        KeySchema=[key],
        AttributeDefinitions=[attribute],
        BillingMode="PAY_PER_REQUEST",
        **given,
    )
    return made["TableDescription"]


def test_a_table_has_an_id_and_a_life(aws: Client) -> None:
    made = table(aws, TableClass="STANDARD_INFREQUENT_ACCESS")
    assert made["TableStatus"] == "CREATING"
    seen = aws("dynamodb").describe_table(TableName="t")["Table"]
    assert seen["TableId"] == made["TableId"]
    assert seen["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    deleted = aws("dynamodb").delete_table(TableName="t")["TableDescription"]
    assert deleted["TableStatus"] == "DELETING"


def test_a_tables_key_can_be_taken_away(aws: Client) -> None:
    table(aws, SSESpecification={"Enabled": True, "SSEType": "KMS"})
    aws("dynamodb").update_table(TableName="t", SSESpecification={"Enabled": False})
    assert "SSEDescription" not in aws("dynamodb").describe_table(TableName="t")["Table"]


def test_time_to_live_is_set_once(aws: Client) -> None:
    table(aws)
    wanted = {"Enabled": True, "AttributeName": "expires"}
    aws("dynamodb").update_time_to_live(TableName="t", TimeToLiveSpecification=wanted)
    with pytest.raises(ClientError, match="TimeToLive is already enabled") as caught:
        aws("dynamodb").update_time_to_live(TableName="t", TimeToLiveSpecification=wanted)
    assert code_of(caught) == "ValidationException"
    with pytest.raises(ClientError) as caught:
        aws("dynamodb").describe_time_to_live(TableName="none-such")
    assert code_of(caught) == "ResourceNotFoundException"


def test_mail_is_not_sent_to_before_its_reader_has_confirmed(aws: Client) -> None:
    sns = aws("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ops@shop.example"}

    def told() -> str:
        [one] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        return str(one["SubscriptionArn"])

    assert sns.subscribe(**asked)["SubscriptionArn"] == "pending confirmation"
    assert told() == "PendingConfirmation"
    with pytest.raises(ClientError) as caught:
        sns.unsubscribe(SubscriptionArn=told())
    assert code_of(caught) == "InvalidParameter"
    sns.confirm_subscription(TopicArn=topic, Token="any")
    sns.unsubscribe(SubscriptionArn=told())
    sns.subscribe(**asked)
    assert told() == "PendingConfirmation"
    sns.delete_topic(TopicArn=topic)
    assert [one["TopicArn"] for one in sns.list_subscriptions()["Subscriptions"]] == [topic]


def test_retention_is_from_the_list(aws: Client) -> None:
    aws("logs").create_log_group(logGroupName="g")
    with pytest.raises(ClientError) as caught:
        aws("logs").put_retention_policy(logGroupName="g", retentionInDays=31)
    assert code_of(caught) == "InvalidParameterException"
    aws("logs").put_retention_policy(logGroupName="g", retentionInDays=30)


def test_a_log_groups_key_can_be_changed(aws: Client) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/k"
    aws("logs").create_log_group(logGroupName="g")
    aws("logs").associate_kms_key(logGroupName="g", kmsKeyId=key)
    assert aws("logs").describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    aws("logs").disassociate_kms_key(logGroupName="g")
    assert "kmsKeyId" not in aws("logs").describe_log_groups()["logGroups"][0]
    with pytest.raises(ClientError) as caught:
        aws("logs").associate_kms_key(logGroupName="none-such", kmsKeyId=key)
    assert code_of(caught) == "ResourceNotFoundException"


def alarm(aws: Client) -> None:
    aws("cloudwatch").put_metric_alarm(
        AlarmName="a",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_a_new_alarm_has_no_data_and_a_re_put_keeps_its_state(aws: Client) -> None:
    watch = aws("cloudwatch")
    alarm(aws)
    assert watch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"
    watch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="r")
    alarm(aws)
    assert watch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"


def test_composite_alarms(aws: Client) -> None:
    watch = aws("cloudwatch")
    alarm(aws)
    watch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)", Tags=[{"Key": "k", "Value": "v"}])
    assert watch.describe_alarms()["CompositeAlarms"] == []
    seen = watch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert seen["AlarmRule"] == "ALARM(a)"
    assert watch.list_tags_for_resource(ResourceARN=seen["AlarmArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    watch.delete_alarms(AlarmNames=["c"])
    assert watch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_a_deleted_secrets_name_is_not_free(aws: Client) -> None:
    secrets = aws("secretsmanager")
    secrets.create_secret(Name="s", SecretString="x", KmsKeyId="alias/k")
    assert secrets.describe_secret(SecretId="s")["KmsKeyId"] == "alias/k"
    secrets.delete_secret(SecretId="s")
    with pytest.raises(ClientError, match="scheduled for deletion") as caught:
        secrets.create_secret(Name="s", SecretString="x")
    assert code_of(caught) == "InvalidRequestException"


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@pytest.mark.parametrize("trust", ["{}", "nonsense", '{"Statement": [{"Effect": "Allow"}]}'])
def test_a_trust_policy_says_whom(aws: Client, trust: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    assert code_of(caught) == "MalformedPolicyDocument"


def test_aws_has_policies_of_its_own(aws: Client) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    aws("iam").attach_role_policy(RoleName="r", PolicyArn=arn)
    with pytest.raises(ClientError) as caught:
        aws("iam").attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/None")
    assert code_of(caught) == "NoSuchEntity"
    with pytest.raises(ClientError) as caught:
        aws("iam").delete_role(RoleName="r")
    assert code_of(caught) == "DeleteConflict"


def test_a_new_bucket_is_shut(aws: Client) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="a-bucket")
    assert all(s3.get_public_access_block(Bucket="a-bucket")["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_encryption(Bucket="a-bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_tagged_things_of_every_service_are_found(aws: Client) -> None:
    mine = [{"Key": "k", "Value": "v"}]
    aws("ec2").allocate_address(TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": mine}])
    group = {"DBClusterParameterGroupName": "p", "DBParameterGroupFamily": "aurora-postgresql15"}
    aws("rds").create_db_cluster_parameter_group(**group, Description="d", Tags=mine)
    aws("wafv2").create_web_acl(**ACL, Tags=mine)
    aws("logs").create_log_group(logGroupName="g", tags={"k": "v"})
    aws("logs").create_log_group(logGroupName="h", tags={"k": "w"})
    pages = aws("resourcegroupstaggingapi").get_paginator("get_resources")
    asked = {"TagFilters": [{"Key": "k", "Values": ["v"]}], "PaginationConfig": {"PageSize": 2}}
    found = list(pages.paginate(**asked).search("ResourceTagMappingList[].ResourceARN"))
    assert sorted(arn.split(":")[2] for arn in found) == ["ec2", "logs", "rds", "wafv2"]


def test_a_new_log_group_has_no_tags_of_one_that_was_deleted(aws: Client) -> None:
    logs = aws("logs")
    logs.create_log_group(logGroupName="g", tags={"old": "one"})
    logs.delete_log_group(logGroupName="g")
    logs.create_log_group(logGroupName="g", tags={"new": "one"})
    arn = logs.describe_log_groups()["logGroups"][0]["arn"].removesuffix(":*")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"new": "one"}


def test_what_rds_manages_is_not_ours(aws: Client) -> None:
    made = aws("rds").create_db_cluster(
        DBClusterIdentifier="db",
        Engine="aurora-postgresql",
        MasterUsername="app",
        ManageMasterUserPassword=True,
    )
    secret = made["DBCluster"]["MasterUserSecret"]["SecretArn"]
    born = aws("secretsmanager").describe_secret(SecretId=secret)
    assert (born["RotationEnabled"], born["RotationRules"]) == (True, {"AutomaticallyAfterDays": 7})
    with pytest.raises(ClientError, match="managed by another service") as caught:
        aws("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    assert code_of(caught) == "InvalidRequestException"


def test_a_certificate_is_requested_once_a_token(aws: Client) -> None:
    asked = {
        "DomainName": "a.example.com",
        "ValidationMethod": "DNS",
        "IdempotencyToken": "t1",
        "KeyAlgorithm": "EC_prime256v1",
    }
    one = aws("acm").request_certificate(**asked)["CertificateArn"]
    assert aws("acm").request_certificate(**asked)["CertificateArn"] == one
    seen = aws("acm").describe_certificate(CertificateArn=one)["Certificate"]
    assert seen["KeyAlgorithm"] == "EC_prime256v1"
    assert "IssuedAt" not in seen


def test_a_certificate_is_issued_when_dns_proves_it(aws: Client) -> None:
    acm, zone_id = aws("acm"), zone(aws)
    arn = acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")["CertificateArn"]

    def seen() -> Any:
        return acm.describe_certificate(CertificateArn=arn)["Certificate"]

    assert seen()["Status"] == "PENDING_VALIDATION"
    proof = seen()["DomainValidationOptions"][0]["ResourceRecord"]
    record = {"Name": proof["Name"], "Type": "CNAME", "TTL": 60}
    record["ResourceRecords"] = [{"Value": proof["Value"]}]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
    assert seen()["Status"] == "ISSUED"


def zone(aws: Client) -> str:
    made = aws("route53").create_hosted_zone(Name="example.com", CallerReference="r")
    return str(made["HostedZone"]["Id"])


def change(aws: Client, zone_id: str, action: str, value: str) -> None:
    record = {"Name": "a.example.com", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def test_a_zone_a_reference(aws: Client) -> None:
    zone(aws)
    with pytest.raises(ClientError) as caught:
        zone(aws)
    assert code_of(caught) == "HostedZoneAlreadyExists"


def test_records_are_made_once_and_deleted_by_value(aws: Client) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, "CREATE", "one")
    for action, value in (("CREATE", "two"), ("DELETE", "two")):
        with pytest.raises(ClientError) as caught:
            change(aws, zone_id, action, value)
        assert code_of(caught) == "InvalidChangeBatch"
    change(aws, zone_id, "DELETE", "one")
    with pytest.raises(ClientError) as caught:
        change(aws, zone_id, "DELETE", "one")
    assert code_of(caught) == "InvalidChangeBatch"
    change(aws, zone_id, "CREATE", "one")


def test_a_record_can_be_replaced_in_one_batch_and_made_again(aws: Client) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, "CREATE", "one")
    old, new = (
        {"Name": "a.example.com", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
        for value in ("one", "two")
    )
    for former, next_ in ((old, new), (new, old)):
        changes = [
            {"Action": action, "ResourceRecordSet": one} for action, one in (("DELETE", former), ("CREATE", next_))
        ]
        aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    listed = aws("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    assert [one["ResourceRecords"][0]["Value"] for one in listed if one["Type"] == "CNAME"] == ["one"]


@pytest.mark.parametrize(
    ("name", "type_", "told"),
    [("a.other.com", "A", "not permitted in zone"), ("a.example.com", "A", "CNAME")],
)
def test_a_record_has_its_place(aws: Client, name: str, type_: str, told: str) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, "CREATE", "one")
    record = {"Name": name, "Type": type_, "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    with pytest.raises(ClientError, match=told):
        aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


ACL = {
    "Name": "w",
    "Scope": "CLOUDFRONT",
    "DefaultAction": {"Allow": {}},
    "VisibilityConfig": {
        "SampledRequestsEnabled": True,
        "CloudWatchMetricsEnabled": True,
        "MetricName": "w",
    },
}


def test_a_web_acl_of_cloudfront_lives_in_us_east_1(aws: Client) -> None:
    with pytest.raises(ClientError) as caught:
        aws("wafv2", "eu-west-1").create_web_acl(**ACL)
    assert code_of(caught) == "WAFInvalidParameterException"
    aws("wafv2").create_web_acl(**ACL)
    with pytest.raises(ClientError) as caught:
        aws("wafv2").create_web_acl(**ACL)
    assert code_of(caught) == "WAFDuplicateItemException"


def test_a_web_acls_capacity_is_counted(aws: Client) -> None:
    managed = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
    rules = [
        {
            "Name": "common",
            "Priority": 0,
            "OverrideAction": {"None": {}},
            "Statement": {"ManagedRuleGroupStatement": managed},
            "VisibilityConfig": ACL["VisibilityConfig"],
        },
        {
            "Name": "rate",
            "Priority": 1,
            "Action": {"Block": {}},
            "Statement": {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}},
            "VisibilityConfig": ACL["VisibilityConfig"],
        },
    ]
    assert aws("wafv2").check_capacity(Scope="CLOUDFRONT", Rules=rules)["Capacity"] == 702
    made = aws("wafv2").create_web_acl(**ACL, Rules=rules)["Summary"]
    seen = aws("wafv2").get_web_acl(Name="w", Scope="CLOUDFRONT", Id=made["Id"])["WebACL"]
    assert seen["Capacity"] == 702


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ecs", "AWSServiceRoleForECS"),
        ("elasticloadbalancing", "AWSServiceRoleForElasticLoadBalancing"),
        ("rds", "AWSServiceRoleForRDS"),
        ("ecs.application-autoscaling", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    ],
)
def test_service_roles_have_their_names(aws: Client, service: str, name: str) -> None:
    principal = f"{service}.amazonaws.com"
    role = aws("iam").create_service_linked_role(AWSServiceName=principal)["Role"]
    assert (role["RoleName"], role["Path"]) == (name, f"/aws-service-role/{principal}/")
    assert role["Arn"].endswith(f"/{name}")
    with pytest.raises(ClientError, match=f"Service role name {name} has been taken") as caught:
        aws("iam").create_service_linked_role(AWSServiceName=principal)
    assert code_of(caught) == "InvalidInput"
    assert aws("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"][0]["RoleName"] == name


TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/t",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}


def policy(aws: Client, value: float) -> Any:
    return aws("application-autoscaling").put_scaling_policy(
        **TARGET,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
        },
    )


def test_a_policy_put_again_is_the_same_policy(aws: Client) -> None:
    scaling = aws("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    one, two = policy(aws, 50), policy(aws, 60)
    assert one["PolicyARN"] == two["PolicyARN"]
    assert one["Alarms"] == two["Alarms"]
    seen = scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]
    assert [p["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for p in seen] == [60]
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"] == []
    assert aws("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_what_is_not_registered_is_not_found(aws: Client) -> None:
    with pytest.raises(ClientError) as caught:
        policy(aws, 50)
    assert code_of(caught) == "ObjectNotFoundException"
    with pytest.raises(ClientError) as caught:
        aws("application-autoscaling").deregister_scalable_target(**TARGET)
    assert code_of(caught) == "ObjectNotFoundException"
    with pytest.raises(ClientError) as caught:
        aws("application-autoscaling").delete_scaling_policy(**TARGET, PolicyName="p")
    assert code_of(caught) == "ObjectNotFoundException"


def test_a_scalable_target_keeps_tags(aws: Client) -> None:
    scaling = aws("application-autoscaling")
    capacity = {"MinCapacity": 1, "MaxCapacity": 2}
    arn = scaling.register_scalable_target(**TARGET, **capacity, Tags={"a": "1"})["ScalableTargetARN"]
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1"}
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
