"""Where the emulator was laxer than AWS: what it refuses now, and with which code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of

CONTAINER = [{"name": "a", "image": "a", "memory": 64}]


def revision(ecs: Any, family: str = "f") -> int:
    made = ecs.register_task_definition(family=family, containerDefinitions=CONTAINER)["taskDefinition"]
    assert made["taskDefinitionArn"].endswith(f":task-definition/{family}:{made['revision']}")
    told = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert told["taskDefinitionArn"] == made["taskDefinitionArn"]
    return int(made["revision"])


def end(ecs: Any, *numbers: int, family: str = "f") -> None:
    for number in numbers:
        ecs.deregister_task_definition(taskDefinition=f"{family}:{number}")
    deleted = ecs.delete_task_definitions(taskDefinitions=[f"{family}:{number}" for number in numbers])
    assert deleted["failures"] == []


def test_no_revision_of_a_family_is_given_out_twice(aws: Client) -> None:
    ecs = aws("ecs")
    assert [revision(ecs) for _ in range(3)] == [1, 2, 3]

    end(ecs, 2, 3)
    assert revision(ecs) == 4
    end(ecs, 1, 4)
    assert [revision(ecs), revision(ecs)] == [5, 6]

    assert revision(ecs, "other") == 1
    with pytest.raises(ClientError):
        ecs.describe_task_definition(taskDefinition="f:3")


def test_a_deregistered_revision_keeps_its_number_too(aws: Client) -> None:
    ecs = aws("ecs")
    assert revision(ecs) == 1
    ecs.deregister_task_definition(taskDefinition="f:1")
    assert revision(ecs) == 2


def test_a_policy_of_several_versions_is_not_deleted(aws: Client) -> None:
    iam = aws("iam")
    says = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    document = json.dumps(says)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)

    with pytest.raises(ClientError, match="more than one version") as caught:
        iam.delete_policy(PolicyArn=arn)
    assert code_of(caught) == "DeleteConflict"

    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def sources(ec2: Any) -> dict[str, dict[str, Any]]:
    """One peer of each sort, as a permission names it."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_security_group(GroupName="o", Description="o", VpcId=vpc)["GroupId"]
    lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
    return {
        "vpc": {"VpcId": vpc},
        "group": {"UserIdGroupPairs": [{"GroupId": other}]},
        "range": {"IpRanges": [{"CidrIp": "10.1.0.0/16"}]},
        "range of IPv6": {"Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]},
        "list": {"PrefixListIds": [{"PrefixListId": lists[0]["PrefixListId"]}]},
    }


def permission(peer: dict[str, Any], description: str, port: int = 80) -> list[dict[str, Any]]:
    described = {key: [{**one, "Description": description} for one in value] for key, value in peer.items()}
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **described}]


@pytest.mark.parametrize("peer", ["group", "range", "range of IPv6", "list"])
@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_a_rule_that_is_there_is_a_duplicate_whatever_its_description(aws: Client, peer: str, way: str) -> None:
    ec2 = aws("ec2")
    known = sources(ec2)
    group = ec2.create_security_group(GroupName="g", Description="g", **known["vpc"])["GroupId"]
    authorise = getattr(ec2, f"authorize_security_group_{way}")
    authorise(GroupId=group, IpPermissions=permission(known[peer], "one"))

    for description in ("one", "another"):
        with pytest.raises(ClientError) as caught:
            authorise(GroupId=group, IpPermissions=permission(known[peer], description))
        assert code_of(caught) == "InvalidPermission.Duplicate"

    authorise(GroupId=group, IpPermissions=permission(known[peer], "one", port=81))
    twice = permission(known[peer], "one", port=82) + permission(known[peer], "two", port=82)
    with pytest.raises(ClientError) as caught:
        authorise(GroupId=group, IpPermissions=twice)
    assert code_of(caught) == "InvalidPermission.Duplicate"
