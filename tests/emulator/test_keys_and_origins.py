"""KMS keys and CloudFront's VPC origins, as AWS has them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client, code_of
from tests.emulator.test_cloudfront import config

GROUP = "CloudFront-VPCOrigins-Service-SG"


def key(aws: Client) -> str:
    return str(aws("kms").create_key(Description="d")["KeyMetadata"]["Arn"])


def test_a_key_is_ended_once_and_comes_back_disabled(aws: Client) -> None:
    kms, arn = aws("kms"), key(aws)
    told = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert (told["KeyState"], told["KeyId"]) == ("PendingDeletion", arn)
    for again in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion):
        with pytest.raises(ClientError, match="is pending deletion") as caught:
            again(KeyId=arn)
        assert code_of(caught) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    with pytest.raises(ClientError) as caught:
        kms.cancel_key_deletion(KeyId=arn)
    assert code_of(caught) == "KMSInvalidStateException"


def test_a_text_is_no_key_policy(aws: Client) -> None:
    for policy in ("everybody", '{"Statement": [{"Effect": "Allow"}]}'):
        with pytest.raises(ClientError) as caught:
            aws("kms").create_key(Policy=policy)
        assert code_of(caught) == "MalformedPolicyDocumentException"


def uses(aws: Client, arn: str) -> dict[str, Any]:
    """Each way to name a key, by the code of the service that cannot use it."""
    under = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn}
    table = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": under,
    }
    return {
        "InvalidParameterException": lambda: aws("logs").create_log_group(logGroupName="g", kmsKeyId=arn),
        "ValidationException": lambda: aws("dynamodb").create_table(**table),
        "EncryptionFailure": lambda: aws("secretsmanager").create_secret(Name="s", SecretString="v", KmsKeyId=arn),
    }


def test_a_disabled_key_is_used_by_nobody(aws_with_behaviours: Client) -> None:
    arn = key(aws_with_behaviours)
    aws_with_behaviours("kms").disable_key(KeyId=arn)
    for code, use in uses(aws_with_behaviours, arn).items():
        with pytest.raises(ClientError) as caught:
            use()
        assert code_of(caught) == code
    aws_with_behaviours("kms").enable_key(KeyId=arn)
    for use in uses(aws_with_behaviours, arn).values():
        use()


def balancer(aws: Client) -> str:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = enumerate("ab")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in zones
    ]
    made = aws("elbv2").create_load_balancer(Name="lb", Scheme="internal", Subnets=[one["SubnetId"] for one in subnets])
    aws("elbv2").describe_load_balancers()  # without manners it is active from the first look on
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def asked(arn: str) -> dict[str, Any]:
    return {
        "Name": "o",
        "Arn": arn,
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "http-only",
        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    }


def through(origin: str) -> dict[str, Any]:
    """A distribution that calls through a VPC origin."""
    made = config()
    [first] = made["Origins"]["Items"]
    first = {name: value for name, value in first.items() if name != "CustomOriginConfig"}
    first["VpcOriginConfig"] = {"VpcOriginId": origin, "OriginReadTimeout": 60}
    return {**made, "Origins": {"Quantity": 1, "Items": [first]}}


def test_a_vpc_origin_is_one_balancer_s_and_stays_while_it_is_used(aws: Client) -> None:
    cloudfront, arn = aws("cloudfront"), balancer(aws)
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=asked(arn))
    id_, etag = made["VpcOrigin"]["Id"], made["ETag"]
    with pytest.raises(ClientError) as caught:
        cloudfront.create_vpc_origin(VpcOriginEndpointConfig=asked(arn))
    assert code_of(caught) == "EntityAlreadyExists"
    with pytest.raises(ClientError) as caught:
        cloudfront.create_distribution(DistributionConfig=through("vo_none"))
    assert code_of(caught) == "EntityNotFound"
    edge = cloudfront.create_distribution(DistributionConfig=through(id_))
    told = cloudfront.get_distribution_config(Id=edge["Distribution"]["Id"])["DistributionConfig"]
    assert told["Origins"]["Items"][0]["VpcOriginConfig"]["VpcOriginId"] == id_
    with pytest.raises(ClientError) as caught:
        cloudfront.delete_vpc_origin(Id=id_, IfMatch="E")
    assert code_of(caught) in ("PreconditionFailed", "InvalidIfMatchVersion")
    for verb, more in (("delete", {}), ("update", {"VpcOriginEndpointConfig": asked(arn)})):
        with pytest.raises(ClientError) as caught:
            getattr(cloudfront, f"{verb}_vpc_origin")(Id=id_, IfMatch=etag, **more)
        assert code_of(caught) == f"Cannot{verb.capitalize()}EntityWhileInUse"


def test_a_vpc_origin_takes_minutes_and_holds_the_vpc(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    cloudfront, ec2, arn = aws_at_real_speed("cloudfront"), aws_at_real_speed("ec2"), balancer(aws_at_real_speed)
    with pytest.raises(ClientError, match="isn't active"):
        cloudfront.create_vpc_origin(VpcOriginEndpointConfig=asked(arn))
    emulator_server.advance(140)
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=asked(arn))
    id_ = made["VpcOrigin"]["Id"]

    def status() -> str:
        return str(cloudfront.get_vpc_origin(Id=id_)["VpcOrigin"]["Status"])

    def groups() -> list[str]:
        return [one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]]

    assert (status(), GROUP in groups()) == ("Deploying", True)
    with pytest.raises(ClientError) as caught:
        cloudfront.delete_vpc_origin(Id=id_, IfMatch=made["ETag"])
    assert code_of(caught) == "IllegalDelete"
    emulator_server.advance(250)
    assert status() == "Deployed"
    cloudfront.delete_vpc_origin(Id=id_, IfMatch=made["ETag"])
    assert status() == "Deploying"
    emulator_server.advance(250)
    with pytest.raises(ClientError) as caught:
        status()
    assert code_of(caught) == "EntityNotFound"
    assert GROUP not in groups()
