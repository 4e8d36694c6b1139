"""`doctor`: it finds each thing that is broken, nothing else, and says what mends it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from provisioner.doctor.rounds import CHECKS
from provisioner.embedded import reference
from provisioner.embedded.server import EmbeddedAws
from tests.breaks import ANSWERED, MEASURED, MENDED, NAME, Break, answering, measure, unmeasure
from tests.hands import CLUSTER, DATABASE, SERVICE, TABLE
from tests.harness import Desk, Ran
from tests.inventory import client
from tests.standing import ACCOUNT, SUFFIX, Standing
from tests.zones import Zone

REGION = "eu-west-1"


@dataclasses.dataclass(frozen=True)
class Abroad(Standing):
    """A stack in a region that is not CloudFront's."""

    def aws(self, service: str) -> Any:
        return client(self.desk.box.endpoint, service, REGION)


@pytest.fixture(scope="module")
def stack(served: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    """The stack of the profile `production`, with a domain and a key of its own."""
    plain = Desk.before(served, tmp_path_factory.mktemp("doctor"))
    zone = Zone.of(plain)
    settings = {
        "MLAPI_PROFILE": "production",
        "MLAPI_ENCRYPTION__KEY": "own",
        "MLAPI_DOMAIN__NAMES": f'["{NAME}"]',
        "MLAPI_DOMAIN__HOSTED_ZONE_ID": zone.id,
    }
    desk = dataclasses.replace(plain, environment=settings)
    desk.well("apply", "--yes", "--suffix", SUFFIX, "--region", REGION)
    return Abroad(desk)


def told(ran: Ran) -> dict[str, Any]:
    """The one record of a walk."""
    (record,) = ran.lines
    return record


def states(record: dict[str, Any], *wanted: str) -> set[str]:
    """The checks that came to one of these."""
    return {one["check"] for one in record["checks"] if one["state"] in wanted}


def test_a_healthy_stack_has_nothing_wrong_and_all_was_looked_at(stack: Abroad) -> None:
    mark = stack.desk.mark()
    ran = stack.desk.well("doctor", "--json")

    assert [one["check"] for one in told(ran)["checks"]] == [one.name for one in CHECKS]
    assert states(told(ran), "wrong", "not checked") == set()
    assert states(told(ran), "none") == {"endpoint-path"}
    assert told(ran)["first"] is None
    assert len(stack.desk.box.calls(mark)) <= 50
    assert stack.desk.tries(mark) == []


def found_wrong(record: dict[str, Any]) -> set[str]:
    """The checks that found something."""
    return states(record, "wrong")


def check(record: dict[str, Any], broken: list[Break]) -> None:
    """Just these are told, each with what it is and what to type."""
    symptoms = {symptom for one in broken for symptom in one.symptoms}
    assert states(record, "wrong") == {one.check for one in broken} | symptoms
    assert states(record, "not checked") == {name for one in broken for name in one.hides}
    found = {one["check"]: one for one in record["checks"]}
    for one in broken:
        assert one.says in found[one.check]["what"]
        assert one.type in found[one.check]["type"]
        assert found[one.check]["why"]
    causes = [one.name for one in CHECKS if not one.is_symptom and one.name in found_wrong(record)]
    assert record["first"]["check"] == (causes or [broken[0].check])[0]


def mended(stack: Abroad, broken: list[Break]) -> None:
    """What is broken is found and nothing else, and what is told to be typed mends it."""
    for one in broken:
        assert one.act
        one.act(stack)
    ran = stack.desk.run("doctor", "--json")
    stack.desk.well("apply", "--yes", "--suffix", SUFFIX)

    assert ran.code == 1
    check(told(ran), broken)
    assert states(told(stack.desk.well("doctor", "--json")), "wrong", "not checked") == set()


def test_all_that_is_broken_is_found_and_nothing_else_and_mended_as_told(stack: Abroad) -> None:
    mended(stack, MENDED)


@pytest.mark.slow
@pytest.mark.parametrize("broken", MENDED, ids=lambda one: one.check)
def test_what_alone_is_broken_is_found_alone(stack: Abroad, broken: Break) -> None:
    mended(stack, [broken])


def test_what_aws_refuses_is_found_and_nothing_else(stack: Abroad) -> None:
    for one in MEASURED:
        assert one.act
        one.act(stack)
    try:
        record = told(stack.desk.run("doctor", "--json"))
    finally:
        unmeasure(REGION)

    check(record, MEASURED)
    [firewall] = [one for one in record["checks"] if one["check"] == "firewall"]
    assert firewall["evidence"] == "POST /api/v1 from CH, by NoUserAgent"


def test_what_aws_says_is_judged_and_nothing_else(stack: Abroad) -> None:
    with answering(*(answer for answer, _ in ANSWERED)):
        record = told(stack.desk.run("doctor", "--json"))

    check(record, [broken for _, broken in ANSWERED])


def test_the_first_thing_is_told_to_a_person_with_what_to_type(stack: Abroad) -> None:
    """As a process, at the end of the way: what comes after the first wrong thing is not shown."""
    ecs = stack.aws("ecs")
    there = {"cluster": CLUSTER, "service": SERVICE}
    ecs.update_service(**there, desiredCount=0)
    try:
        ran = stack.desk.process("doctor", "--local")
    finally:
        ecs.update_service(**there, desiredCount=2)

    assert ran.code == 1
    assert "\nwrong  tasks     service " in ran.out
    assert "database" not in ran.out
    assert ran.out.endswith(f"--service {SERVICE} --desired-count 2 --region {REGION}\n")
    assert "Why it matters: No task answers anything." in ran.out
    assert "Traceback" not in ran.err


def test_all_goes_on_after_the_first(stack: Abroad) -> None:
    measure("AWS/RDS", {"DBClusterIdentifier": DATABASE}, ACUUtilization=100.0)(stack)
    measure("AWS/DynamoDB", {"TableName": TABLE}, ReadThrottleEvents=1.0)(stack)
    try:
        ran = stack.desk.run("doctor", "--all")
    finally:
        unmeasure(REGION)

    assert [line.split()[0] for line in ran.out.splitlines() if line.startswith("database/")] == [
        "database/capacity:",
        "database/throttles:",
    ]
    assert ran.out.count("Type: ") == 2


def test_what_may_not_be_read_is_not_checked_and_never_well(stack: Abroad) -> None:
    stack.desk.box.faults({"operation": "ec2:DescribeSecurityGroups", "fault": "access_denied", "times": 9})
    try:
        ran = stack.desk.run("doctor", "--json")
    finally:
        stack.desk.box.faults()

    assert ran.code == 1
    assert states(told(ran), "not checked") == {
        "path-in",
        "path-to-tasks",
        "way-to-aws",
        "endpoint-path",
        "path",
    }
    notes = {one["note"] for one in told(ran)["checks"] if one["state"] == "not checked"}
    assert notes == {"these credentials lack ec2:DescribeSecurityGroups"}


def test_expired_credentials_end_it(stack: Abroad) -> None:
    stack.desk.box.faults({"operation": "ecs:DescribeServices", "fault": "expired", "times": 99})
    try:
        ran = stack.desk.run("doctor")
    finally:
        stack.desk.box.faults()

    assert (ran.code, ran.out) == (3, "")


def test_a_suffix_that_nobody_knows_is_no_sick_stack(stack: Abroad) -> None:
    ran = stack.desk.run("doctor", "--suffix", "nobody", "--region", REGION)

    assert (ran.code, ran.out) == (6, "")
    assert f"AWS has none in {REGION}" in ran.err


def test_without_a_ledger_and_with_its_policy_alone_it_sees_everything(stack: Abroad, tmp_path: Path) -> None:
    """All that is given is the suffix and the region."""
    asked = ("--suffix", SUFFIX, "--region", REGION, "--expect-account", ACCOUNT, "--json")
    given = told(stack.desk.well("policy", "--for", "doctor", *asked))["policies"]
    other = stack.desk.elsewhere(tmp_path / "home")
    stack.desk.box.authorise(*given)
    try:
        ran = other.well("doctor", *asked)
    finally:
        stack.desk.box.authorise()

    assert states(told(ran), "wrong", "not checked") == set()
    assert len(states(told(ran), "ok")) == len(CHECKS) - 1
    allowed = [one for policy in given for one in policy["Statement"] if one["Effect"] == "Allow"]
    actions = {name for one in allowed for name in one["Action"]}
    assert all(reference.known(name).reads for name in actions)
    assert "secretsmanager:GetSecretValue" not in actions
