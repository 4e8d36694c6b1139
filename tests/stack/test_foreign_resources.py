"""What somebody else made under our names is refused before the first change, and left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.s3 import Bucket
from provisioner.service_clients import S3
from tests.support.account_inventory import client, inventory
from tests.support.fake_resources import as_client
from tests.support.user import User

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}],
    }
)
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
Make = Callable[[Callable[[str], Any], str], Any]


def network(aws: Callable[[str], Any]) -> tuple[str, list[str]]:
    """A VPC of the stranger's, with subnets in two zones and a way out."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"172.20.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    return vpc, [one["Subnet"]["SubnetId"] for one in subnets]


def named(sort: str, name: str) -> list[dict[str, Any]]:
    """A Name tag, as the EC2 create calls take it."""
    return [{"ResourceType": sort, "Tags": [{"Key": "Name", "Value": name}]}]


def cluster(aws: Callable[[str], Any], name: str) -> Any:
    """A database cluster."""
    return aws("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="them",
        MasterUserPassword="not-ours-at-all",
    )


def balancer(aws: Callable[[str], Any], name: str) -> Any:
    """A load balancer."""
    _, subnets = network(aws)
    return aws("elbv2").create_load_balancer(Name=name, Subnets=subnets)


def table(aws: Callable[[str], Any], name: str) -> Any:
    """A table."""
    return aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def subnet_group(aws: Callable[[str], Any], name: str) -> Any:
    """A database subnet group."""
    _, subnets = network(aws)
    return aws("rds").create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="theirs", SubnetIds=subnets
    )


def parameters(aws: Callable[[str], Any], name: str) -> Any:
    """A set of database parameters."""
    return aws("rds").create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-postgresql15", Description="theirs"
    )


STRANGERS: dict[str, Make] = {
    "execution-role": lambda aws, name: aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST),
    "sessions": table,
    "ecs-logs": lambda aws, name: aws("logs").create_log_group(logGroupName=name),
    "cluster": lambda aws, name: aws("ecs").create_cluster(clusterName=name),
    "alb": balancer,
    "tg": lambda aws, name: aws("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=network(aws)[0], TargetType="ip"
    ),
    "aurora": cluster,
    "db-subnets": subnet_group,
    "db-parameters": parameters,
    "vpc": lambda aws, name: aws("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named("vpc", name)),
    "eip-1": lambda aws, name: aws("ec2").allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", name)),
    "igw": lambda aws, name: aws("ec2").create_internet_gateway(TagSpecifications=named("internet-gateway", name)),
}


def stranger(user: User, node: str) -> str:
    """Make a stranger's thing under the name that a node of stack `a` has; that name."""
    (record,) = user.well("plan", "--json", "--suffix", "a").lines
    name = next(str(change["name"]) for change in record["changes"] if change["node"] == node)
    with at_ease(user) as aws:
        STRANGERS[node](aws, name)
    return name


@contextmanager
def at_ease(user: User) -> Iterator[Callable[[str], Any]]:
    """Clients of an AWS that hides nothing and asks for no service roles: for whoever was here before."""
    user.box.behave(behaviours=False, speed=0.0)
    yield lambda service: client(user.box.endpoint, service)
    user.box.behave(behaviours=True, speed=0.0)


@pytest.mark.parametrize(
    "node",
    [pytest.param(one, marks=[pytest.mark.slow] if at % 4 else []) for at, one in enumerate(STRANGERS)],
)
def test_a_strangers_thing_of_our_name_is_refused_before_the_first_change(user: User, node: str) -> None:
    name = stranger(user, node)
    before, mark = inventory(user.box.endpoint), user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5, ran.err
    assert name in ran.err
    assert "nothing was changed" in ran.err
    assert "somebody else's" in ran.err
    assert "Traceback" not in ran.err
    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before
    assert not user.ledger("a").exists()


@pytest.mark.parametrize(
    "node",
    ["aurora", *(pytest.param(one, marks=pytest.mark.slow) for one in ("execution-role", "sessions", "vpc"))],
)
def test_a_teardown_does_not_touch_a_strangers_thing_of_our_name(user: User, node: str) -> None:
    stranger(user, node)
    before, mark = inventory(user.box.endpoint), user.mark()

    ran = user.run("teardown", "--yes", "--suffix", "a")

    assert ran.code == 6, ran.err
    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before


def test_a_teardown_does_not_touch_the_parts_of_a_strangers_thing(user: User) -> None:
    """A part bears no tags: whose it is, is told by what it is a part of."""
    with at_ease(user) as aws:
        aws("iam").create_role(RoleName="ml-api-task-role-a", AssumeRolePolicyDocument=TRUST)
        aws("iam").put_role_policy(RoleName="ml-api-task-role-a", PolicyName="use", PolicyDocument=ANYTHING)
    before, mark = inventory(user.box.endpoint), user.mark()

    ran = user.run("teardown", "--yes", "--suffix", "a")

    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before
    assert ran.code == 6


def test_a_thing_with_the_tags_of_another_stack_is_refused_too(user: User) -> None:
    theirs = {"Project": "ml-api", "Environment": "b", "ManagedBy": "ml-api-provisioner"}
    with at_ease(user) as aws:
        aws("iam").create_role(
            RoleName="ml-api-task-role-a",
            AssumeRolePolicyDocument=TRUST,
            Tags=[{"Key": key, "Value": value} for key, value in theirs.items()],
        )
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5
    assert "Environment=b" in ran.err
    assert user.tries(mark) == []


def test_all_strangers_are_shown_at_once(user: User) -> None:
    for node in ("execution-role", "sessions", "ecs-logs"):
        stranger(user, node)

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5
    for name in ("ml-api-execution-role-a", "ml-api-sessions-a", "/aws/ecs/ml-api-a"):
        assert name in ran.err


@pytest.mark.slow
def test_another_stacks_thing_that_comes_later_is_refused_as_well(user: User) -> None:
    """Our log group was deleted, and another stack's tool made one of that name."""
    user.apply("a")
    theirs = {"Project": "ml-api", "Environment": "b", "ManagedBy": "ml-api-provisioner"}
    with at_ease(user) as aws:
        aws("logs").delete_log_group(logGroupName="/aws/alb/ml-api-a")
        aws("logs").create_log_group(logGroupName="/aws/alb/ml-api-a", tags=theirs)
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5, ran.out
    assert "Environment=b" in ran.err
    assert user.tries(mark) == []


def test_a_strangers_thing_that_bears_a_name_of_ours_by_now_outlives_our_stack(user: User) -> None:
    """Ours were deleted, and others made that bear their names: the table is protected as well."""
    user.apply("a")
    group, name, theirs = "/aws/alb/ml-api-a", "ml-api-sessions-a", {"Environment": "b"}
    with at_ease(user) as aws:
        aws("dynamodb").delete_table(TableName=name)
        table(aws, name)
        arn = aws("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=True)["TableDescription"]
        tags = [{"Key": key, "Value": value} for key, value in theirs.items()]
        aws("dynamodb").tag_resource(ResourceArn=arn["TableArn"], Tags=tags)
        aws("logs").delete_log_group(logGroupName=group)
        aws("logs").create_log_group(logGroupName=group, tags=theirs)

    ran = user.well("teardown", "--yes", "--suffix", "a")

    for left in (name, group):
        assert re.search(f"Left alone: .*{left}.*somebody else's", ran.err)
    told = client(user.box.endpoint, "dynamodb").describe_table(TableName=name)["Table"]
    assert told["DeletionProtectionEnabled"]
    assert "b" in str(client(user.box.endpoint, "logs").list_tags_log_group(logGroupName=group)["tags"])


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


ANOTHERS = {"Environment": "a", "Project": "other", "ManagedBy": "terraform"}


def test_one_whose_arn_is_made_of_its_name_is_a_strangers_all_the_same(user: User) -> None:
    """The stranger calls an environment as we do, too; a run that stops in between forgets nothing of it."""
    user.apply("a")
    with at_ease(user) as aws:
        (service,) = aws("ecs").list_services(cluster="ml-api-cluster-a")["serviceArns"]
        aws("ecs").delete_service(cluster="ml-api-cluster-a", service=service, force=True)
        aws("ecs").delete_cluster(cluster="ml-api-cluster-a")
        tags = [{"key": key, "value": value} for key, value in ANOTHERS.items()]
        aws("ecs").create_cluster(clusterName="ml-api-cluster-a", tags=tags)
    user.box.faults({"operation": "ec2:DeleteVpc", "fault": "access_denied", "times": 1})
    mark = user.mark()

    stopped = user.run("teardown", "--yes", "--suffix", "a")
    ran = user.run("teardown", "--yes", "--suffix", "a")

    assert (stopped.code, ran.code) == (4, 0), ran.err
    assert re.search("Left alone: .*ml-api-cluster-a.*somebody else's", ran.err)
    assert "ecs:DeleteCluster" not in user.tries(mark)


def test_what_lost_one_of_its_tags_is_ours_still(user: User) -> None:
    user.apply("a")
    tables = client(user.box.endpoint, "dynamodb")
    arn = tables.describe_table(TableName="ml-api-sessions-a")["Table"]["TableArn"]
    tables.untag_resource(ResourceArn=arn, TagKeys=["Environment"])

    user.teardown("a")

    assert tables.list_tables()["TableNames"] == []


def test_the_parts_of_what_is_a_strangers_by_now_are_not_touched(user: User) -> None:
    role, on = "ml-api-flow-role-a", ("--set", "network.flow_logs=true")
    user.apply("a", *on)
    with at_ease(user) as aws:
        iam = aws("iam")
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
        iam.delete_role(RoleName=role)
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST, Tags=pairs(ANOTHERS))
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=ANYTHING)
    mark = user.mark()

    user.well("apply", "--yes", "--suffix", "a")

    assert not {"iam:DeleteRolePolicy", "iam:DeleteRole"} & set(user.tries(mark))
    assert client(user.box.endpoint, "iam").list_role_policies(RoleName=role)["PolicyNames"] == [policy]


def test_a_key_whose_policy_keeps_us_out_stands_in_nobodys_way(user: User) -> None:
    kms = client(user.box.endpoint, "kms")
    for _ in range(2):
        kms.create_key()
    user.well("apply", "--yes", "--suffix", "a", "--target", "sessions")
    user.box.faults({"operation": "kms:DescribeKey", "fault": "access_denied", "times": 1})

    user.teardown("a")

    user.well("apply", "--yes", "--suffix", "a", "--target", "sessions")
    user.box.faults({"operation": "kms:DescribeKey", "fault": "access_denied", "times": 99})
    denied = user.run("teardown", "--yes", "--suffix", "a")
    assert "the right kms:DescribeKey" in denied.err


def test_a_log_group_that_rds_made_by_itself_becomes_ours(user: User) -> None:
    name = "/aws/rds/cluster/ml-api-aurora-a/postgresql"
    with at_ease(user) as aws:
        aws("logs").create_log_group(logGroupName=name)

    user.apply("a")

    (group,) = client(user.box.endpoint, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert group["retentionInDays"] == 30


class Shut:
    """An S3 that refuses one call with a code."""

    def __init__(self, call: str, code: str) -> None:
        self.refused = {call: code}

    def __getattr__(self, call: str) -> Callable[..., Any]:
        def answer(**_: Any) -> dict[str, Any]:
            if code := self.refused.get(call):
                raise ClientError({"Error": {"Code": code, "Message": "no"}}, call)
            return {"TagSet": []}

        return answer


def test_a_bucket_is_a_strangers_where_it_may_not_be_looked_at_and_ours_where_only_its_tags_may_not() -> None:
    spec = ResourceSpec("logs", "ml-api-logs-a", "a", {"Bucket": "ml-api-logs-a"})

    assert Bucket().read(as_client(S3, Shut("head_bucket", "403")), spec) == {"Bucket": spec.aws_name, "Tags": {}}
    assert Bucket().read(as_client(S3, Shut("get_bucket_tagging", "NoSuchTagSet")), spec) == {
        "Bucket": spec.aws_name,
        "Tags": {},
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket().read(as_client(S3, Shut("get_bucket_tagging", "AccessDenied")), spec)
