"""What was broken by hand is told alike by `status`, `doctor`, `drift` and `report`, whole processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness import Desk
from tests.inventory import client

NAMED = ("--suffix", "a")


def _delete_nat(desk: Desk) -> None:
    ec2 = client(desk.box.endpoint, "ec2")
    found = ec2.describe_nat_gateways()["NatGateways"]
    ec2.delete_nat_gateway(
        NatGatewayId=next(one["NatGatewayId"] for one in found if one["State"] != "deleted")
    )


def _deregister(desk: Desk) -> None:
    elbv2 = client(desk.box.endpoint, "elbv2")
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        listed = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        elbv2.deregister_targets(TargetGroupArn=arn, Targets=[one["Target"] for one in listed])


@pytest.mark.parametrize(
    ("broken", "node", "drawn"),
    [(_delete_nat, "nat-1", ()), (_deregister, "tg", ("alb",))],
    ids=["the NAT gateway deleted", "no healthy target"],
)
def test_all_four_tell_it(
    desk: Desk, tmp_path: Path, broken: Callable[[Desk], None], node: str, drawn: tuple[str, ...]
) -> None:
    desk.apply("a")
    broken(desk)

    status = desk.process("status", "--local", *NAMED)
    assert status.code == 1, status.out
    assert "All is well." not in status.out
    assert desk.process("doctor", "--local", *NAMED).code == 1
    drift = desk.process("drift", "--local", "--detailed-exitcode", *NAMED)
    assert drift.code == 2, drift.out
    assert re.search(rf"/{node}\b", drift.out)
    page = tmp_path / "page.html"
    told = desk.process("report", "--local", "--json", "--html", str(page), *NAMED)
    assert told.code == 0, told.err
    assert {name: told.lines[0]["unwell"].get(name) for name in (node, *drawn)} == dict.fromkeys(
        (node, *drawn), "bad"
    )
