"""A security-group rule that somebody made, with another description: found, and not waited for."""

from __future__ import annotations

import pytest

from tests.support.account_inventory import client
from tests.support.user import User

PORT = ("--set", "container.port=9090")


@pytest.mark.parametrize(
    "way", ["both", pytest.param("in", marks=pytest.mark.slow), pytest.param("out", marks=pytest.mark.slow)]
)
def test_a_port_change_takes_the_rule_that_is_there_already(user: User, way: str) -> None:
    user.apply("a")
    ec2 = client(user.box.endpoint, "ec2")
    groups = {one["GroupName"]: one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    (alb,), (tasks,) = ([id_ for name, id_ in groups.items() if noun in name] for noun in ("sg-alb", "sg-tasks"))

    def pair(peer: str) -> list[dict[str, object]]:
        peers = [{"GroupId": peer, "Description": "made by hand"}]
        return [{"IpProtocol": "tcp", "FromPort": 9090, "ToPort": 9090, "UserIdGroupPairs": peers}]

    if way != "out":
        ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=pair(alb))
    if way != "in":
        ec2.authorize_security_group_egress(GroupId=alb, IpPermissions=pair(tasks))

    ran = user.apply("a", *PORT)

    assert "InvalidPermission.Duplicate" not in ran.err
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [tasks]}])
    mine = [one for one in rules["SecurityGroupRules"] if one.get("FromPort") == 9090]
    assert [one["Description"] for one in mine] == ["from sg-alb"]
    user.teardown("a")
