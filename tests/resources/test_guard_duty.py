"""What others put into our network is named before the first deletion, each with the command that ends it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from provisioner.commands.signals import raise_run_error
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.types.blocker import Blocker, blocked_error
from provisioner.resources.ec2.interface_removal import removal_command
from state.errors import ProvisionerError
from tests.support.account_inventory import client
from tests.support.printed_commands import carry_out, printed
from tests.support.user import User

TAG = "GuardDutyManaged"


def ec2(user: User) -> Any:
    return client(user.box.endpoint, "ec2")


def guards(user: User) -> list[str]:
    """GuardDuty's endpoints and groups that stand, as EC2 tells them."""
    filters = [{"Name": f"tag:{TAG}", "Values": ["true"]}]
    endpoints = ec2(user).describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    groups = ec2(user).describe_security_groups(Filters=filters)["SecurityGroups"]
    return [one["VpcEndpointId"] for one in endpoints] + [one["GroupId"] for one in groups]


def of_guards(commands: Iterable[str]) -> list[str]:
    """The commands that end an endpoint, then those that end a group."""
    return sorted((one for one in commands if "delete-vpc-endpoints" in one or "security-group" in one), reverse=True)


@pytest.fixture
def strict(user: User) -> User:
    """A user before an empty strict account."""
    user.box.behave(behaviours=True, speed=0.0, account="strict")
    return user


def test_guard_dutys_endpoint_and_group_are_named_before_the_first_deletion(strict: User) -> None:
    strict.apply("a")
    endpoint, group = guards(strict)
    before = strict.mark()

    planned = strict.run("plan", "--destroy", "--suffix", "a").out
    asked = strict.run("teardown", "--unprotect", "--suffix", "a").err

    assert strict.tries(before) == []
    for told in (planned, asked):
        assert f"`aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint} --region us-east-1`" in told
        assert f"`aws ec2 delete-security-group --group-id {group} --region us-east-1`" in told
        assert told.count("makes its endpoint and group again") == 1
        assert f"{TAG}=false among the setting `tags`" in told


@pytest.mark.slow
def test_a_teardown_tells_once_when_guardduty_makes_them_again(strict: User) -> None:
    strict.apply("a")

    ran = strict.run("teardown", "--yes", "--unprotect", "--suffix", "a")

    assert ran.code == 9, ran.err
    assert "held by what is not this stack's: eni-" in ran.err
    assert "Delete or detach that, then run the same command again." in ran.err
    assert ran.err.count("makes its endpoint and group again") == 1


def test_what_was_told_before_a_run_is_not_told_at_its_end() -> None:
    """Of several that end alike each line is told once, whatever else the hint of each says."""
    held = {
        "a": blocked_error("Subnet a", [Blocker("eni-1", temporary=False, note="Mind this")]),
        "b": blocked_error("Subnet b", [Blocker("eni-2", temporary=False, note="Mind that")]),
        "c": blocked_error("Edge c", [Blocker("a plan", temporary=False, deferred=True, note="Mind that")]),
    }

    with pytest.raises(ProvisionerError) as caught:
        raise_run_error(Outcome("teardown", failed=held), [])
    assert caught.value.hint.splitlines() == [
        "Mind this.",
        "Delete or detach that, then run the same command again.",
        "Mind that.",
        "Once that has ended, run the same command again: it deletes what is left.",
    ]

    with pytest.raises(ProvisionerError) as caught:
        raise_run_error(Outcome("teardown", failed=held), [], shown_lines=["Mind that."])
    assert "Mind that." not in caught.value.hint
    assert "Mind this." in caught.value.hint


def test_drift_leaves_to_guard_duty_what_it_made_and_tells_of_an_endpoint_that_somebody_made(
    strict: User,
) -> None:
    strict.apply("a")
    endpoint, group = guards(strict)

    ran = strict.run("drift", "--detailed-exitcode", "--suffix", "a")

    assert ran.code == 0, ran.out
    assert "No drift." in ran.out
    for id_ in (endpoint, group):
        assert re.search(rf"^ *= vpc/vpc: Vpc .*: .*{id_} .*\(left to GuardDuty\)$", ran.out, re.MULTILINE)
    (vpc,) = ec2(strict).describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["ml-api"]}])["Vpcs"]
    asked = {"VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.us-east-1.ecr.api"}
    made = ec2(strict).create_vpc_endpoint(VpcId=vpc["VpcId"], **asked)["VpcEndpoint"]["VpcEndpointId"]
    strict.box.advance(60)  # what was just made may be hidden from another call

    ran = strict.run("drift", "--detailed-exitcode", "--suffix", "a", "--json")

    assert ran.code == 2
    (line,) = ran.lines
    (told,) = [one for one in line["drift"] if one["what"] == "extra"]
    assert (told["node"], told["extra"]) == ("vpc", f"endpoint {made} {asked['ServiceName']}")
    assert "apply leaves it: it stands beside ours; delete it before a teardown" in told["remedy"]
    assert line["summary"]["extra"] == 1


def test_doctor_opens_an_endpoint_that_is_not_the_stacks_by_a_command_that_does_it(strict: User) -> None:
    strict.apply("a")
    assert strict.run("doctor", "--suffix", "a").code == 0

    _, group = guards(strict)
    told = ec2(strict).describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    ec2(strict).revoke_security_group_ingress(GroupId=group, IpPermissions=told["IpPermissions"])
    ran = strict.run("doctor", "--suffix", "a", "--json")
    [wrong] = [one for one in json.loads(ran.out)["checks"] if one["state"] == "wrong"]
    assert wrong["finding"] == "endpoint-shut"

    carry_out(strict.box, wrong["type"].removeprefix("aws "))
    assert strict.run("doctor", "--suffix", "a").code == 0


def test_it_comes_again_with_the_next_task_until_the_cluster_is_left_out(strict: User) -> None:
    strict.apply("a")
    first = guards(strict)
    commands = of_guards(printed(strict.run("plan", "--destroy", "--suffix", "a").out))

    for command in commands:
        carry_out(strict.box, command)
    strict.well("restart", "--yes", "--suffix", "a")
    again = guards(strict)
    assert len(again) == 2
    assert not set(again) & set(first)

    strict.apply("a", "--set", f'tags={{"{TAG}":"false"}}')
    for command in of_guards(printed(strict.run("plan", "--destroy", "--suffix", "a").out)):
        carry_out(strict.box, command)
    strict.well("restart", "--yes", "--suffix", "a")
    assert guards(strict) == []


def test_an_instance_in_our_subnet_is_named_with_the_command_that_ends_it(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a", "--target", "vpc")
    subnets = ec2(user).describe_subnets(Filters=[{"Name": "tag:Project", "Values": ["ml-api"]}])["Subnets"]
    asked = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnets[0]["SubnetId"]}
    (instance,) = ec2(user).run_instances(ImageId="ami-12c6146b", **asked)["Instances"]

    told = user.run("plan", "--destroy", "--suffix", "a").out

    id_ = instance["InstanceId"]
    assert f"`aws ec2 terminate-instances --instance-ids {id_} --region us-east-1`" in told


ENDS = {
    "ELB app/theirs/0a1b": "elbv2 delete-load-balancer --load-balancer-arn "
    "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/theirs/0a1b",
    "ELB theirs": "elb delete-load-balancer --load-balancer-name theirs",
    "arn:aws:ecs:eu-west-1:1:attachment/theirs/0a1b": "ecs stop-task --cluster theirs --task 0a1b",
    "EFS mount target for fs-1 (fsmt-2)": "efs delete-mount-target --mount-target-id fsmt-2",
    "AWS Lambda VPC ENI-my-fn-01234567-89ab-cdef-0123-456789abcdef": "lambda update-function-configuration "
    "--function-name my-fn --vpc-config SubnetIds=[],SecurityGroupIds=[]",
    "Network Interface for Transit Gateway Attachment tgw-attach-1": "ec2 "
    "delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id tgw-attach-1",
    "Interface for NAT Gateway nat-0a": "ec2 delete-nat-gateway --nat-gateway-id nat-0a",
    "mine": "ec2 delete-network-interface --network-interface-id eni-1",
}


@pytest.mark.parametrize("purpose", ENDS)
def test_what_an_interface_is_for_tells_how_it_ends(purpose: str) -> None:
    asked = {"NetworkInterfaceId": "eni-1", "OwnerId": "1", "Description": purpose}

    assert removal_command(asked, "eu-west-1") == f"`aws {ENDS[purpose]} --region eu-west-1`"


def test_an_interface_that_an_instance_leaves_behind_is_deleted_after_it() -> None:
    attachment = {"InstanceId": "i-1", "DeleteOnTermination": False}
    told = removal_command({"NetworkInterfaceId": "eni-1", "Attachment": attachment}, "eu-west-1")

    assert "terminate-instances --instance-ids i-1" in told
    assert told.endswith("then `aws ec2 delete-network-interface --network-interface-id eni-1 --region eu-west-1`")


def test_of_what_a_service_holds_the_service_is_named() -> None:
    asked = {"NetworkInterfaceId": "eni-1", "RequesterManaged": True, "RequesterId": "amazon-elasticache"}

    assert removal_command(asked, "eu-west-1") == "end what amazon-elasticache made it for; it goes with that"
