"""What was just made hides for a moment, and never for long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator import local
from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import clock
from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client
from tests.emulator.test_cloudfront import config, distribution
from tests.emulator.test_small_services import TRUST, table


@pytest.fixture
def shyest(eventually_consistent_aws: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Everything hides from two reads and one use."""
    monkeypatch.setattr(lag, "random_misses", lambda: 2)
    monkeypatch.setattr(lag.Hidden, "__init__", _hidden)
    return eventually_consistent_aws


def _hidden(self: lag.Hidden, kind: lag.LagRule, name: str) -> None:
    self.rule, self.name, self.created_at, self.reads, self.uses = kind, name, clock.now(), 2, 1
    self.__post_init__()


def tries(call: Callable[[], Any]) -> tuple[list[str], Any]:
    """Call until it goes well; return the codes met on the way."""
    codes: list[str] = []
    for _ in range(5):
        try:
            return codes, call()
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    raise AssertionError(codes)


def vpc(aws: Client) -> str:
    return str(aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def test_reads_by_id_miss_it(shyest: Client) -> None:
    name = vpc(shyest)
    codes, _ = tries(lambda: shyest("ec2").describe_vpcs(VpcIds=[name]))
    assert codes == ["InvalidVpcID.NotFound"] * 2


def test_lists_leave_it_out(shyest: Client) -> None:
    vpc(shyest)
    mine = [{"Name": "cidr", "Values": ["10.0.0.0/16"]}]
    counts = [len(shyest("ec2").describe_vpcs(Filters=mine)["Vpcs"]) for _ in range(3)]
    assert counts == [0, 0, 1]


def test_one_use_does_not_find_it(shyest: Client) -> None:
    name = vpc(shyest)
    codes, _ = tries(lambda: shyest("ec2").create_subnet(VpcId=name, CidrBlock="10.0.0.0/24"))
    assert codes == ["InvalidVpcID.NotFound"]


def test_another_service_does_not_find_it_either(shyest: Client) -> None:
    ec2, name = shyest("ec2"), vpc(shyest)
    with pytest.raises(ClientError):  # the one use that misses the VPC
        ec2.create_subnet(VpcId=name, CidrBlock="10.0.0.0/24")
    subnets = [
        ec2.create_subnet(VpcId=name, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    group = {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d", "SubnetIds": ids}
    shyest("iam").create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    codes, _ = tries(lambda: shyest("rds").create_db_subnet_group(**group))
    assert codes == ["InvalidSubnet"] * 2


def test_a_delete_finds_it(shyest: Client) -> None:
    shyest("ec2").delete_vpc(VpcId=vpc(shyest))


@pytest.mark.parametrize("of", ["role", "table", "group"])
def test_names_hide_too(shyest: Client, of: str) -> None:
    # Made before the thing is: a new client takes a part of the half second for which all hides.
    iam, dynamodb, logs = (shyest(service) for service in ("iam", "dynamodb", "logs"))
    if of == "role":
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        assert tries(lambda: iam.get_role(RoleName="r"))[0] == ["NoSuchEntity"] * 2
    elif of == "table":
        table(shyest)
        assert tries(lambda: dynamodb.describe_table(TableName="t"))[0] == ["ResourceNotFoundException"] * 2
    else:
        logs.create_log_group(logGroupName="g")
        counts = [len(logs.describe_log_groups()["logGroups"]) for _ in range(3)]
        assert counts == [0, 0, 1]
        retain = logs.put_retention_policy
        codes, _ = tries(lambda: retain(logGroupName="g", retentionInDays=7))
        assert codes == ["ResourceNotFoundException"]


def test_it_hides_no_longer_than_the_window(shyest: Client, emulator_server: LocalAws) -> None:
    name = vpc(shyest)
    emulator_server.advance(local.consistency_window(0.0) + 0.1)
    assert tries(lambda: shyest("ec2").describe_vpcs(VpcIds=[name]))[0] == []


def test_chance_repeats_itself(eventually_consistent_aws: Client, emulator_server: LocalAws) -> None:
    def run() -> list[list[str]]:
        emulator_server.reset()
        return [met(vpc(eventually_consistent_aws)) for _ in range(10)]

    def met(name: str) -> list[str]:
        return tries(lambda: eventually_consistent_aws("ec2").describe_vpcs(VpcIds=[name]))[0]

    assert run() == run()
    assert {len(codes) for codes in run()} == {0, 1, 2}


def test_a_changed_distribution_shows_its_old_self(shyest: Client) -> None:
    cloudfront = shyest("cloudfront")
    made = distribution(shyest)
    name = made["Distribution"]["Id"]
    off = config(Enabled=False)
    new = cloudfront.update_distribution(Id=name, IfMatch=made["ETag"], DistributionConfig=off)
    etags = [cloudfront.get_distribution(Id=name)["ETag"] for _ in range(3)]
    assert etags == [made["ETag"], made["ETag"], new["ETag"]]
