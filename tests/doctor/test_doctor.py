"""`doctor`: it finds each thing that is broken, nothing else, and says what mends it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner.doctor.checks import CHECKS
from provisioner.emulator.ecs import scheduler
from provisioner.emulator.ecs.life import mark_stopped
from provisioner.emulator.server import LocalAws
from provisioner.iam import reference
from tests.support.account_inventory import client
from tests.support.breakages import BREAKS, Break
from tests.support.breakages.deed import service
from tests.support.breakages.edge import NAME
from tests.support.breakages.given import OWN_SECRET
from tests.support.breakages.measured import measure, unmeasure
from tests.support.breakages.tasks import IMAGE, push
from tests.support.hosted_zones import Zone
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack
from tests.support.manual_changes import CLUSTER, DATABASE, SERVICE, TABLE
from tests.support.typed_answers import type_it
from tests.support.user import CommandResult, User

REGION = "eu-west-1"
TURNS = sorted({one.turn for one in BREAKS} - {0})
# What is told may be another thing when the first is mended: a key that was called back is still disabled.
_WALKS = 3


@pytest.fixture(scope="module")
def stack(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> LiveStack:
    """The profile `production`, with domain and key of its own, and an image and a secret of the user's."""
    plain = User.before(served, tmp_path_factory.mktemp("doctor"))
    zone = Zone.of(plain)
    manager = client(served.endpoint, "secretsmanager", REGION)
    token = manager.create_secret(Name=OWN_SECRET, SecretString="of the user's")["ARN"]
    client(served.endpoint, "ecr", REGION).create_repository(repositoryName="shop")
    push(LiveStack(plain, REGION))
    settings = {
        "MLAPI_IMAGE": IMAGE,
        "MLAPI_PROFILE": "production",
        "MLAPI_ENCRYPTION__KEY": "own",
        "MLAPI_DOMAIN__NAMES": f'["{NAME}"]',
        "MLAPI_DOMAIN__HOSTED_ZONE_ID": zone.id,
        "MLAPI_CONTAINER__SECRETS": json.dumps({"TOKEN": token}),
    }
    user = dataclasses.replace(plain, environment=settings)
    user.well("apply", "--yes", "--suffix", SUFFIX, "--region", REGION)
    return LiveStack(user, REGION)


def told(ran: CommandResult) -> dict[str, Any]:
    """The one record of a walk."""
    (record,) = ran.lines
    return record


def states(record: dict[str, Any], *wanted: str) -> set[str]:
    """The checks that came to one of these."""
    return {one["check"] for one in record["checks"] if one["state"] in wanted}


def test_a_healthy_stack_has_nothing_wrong_and_all_was_looked_at(stack: LiveStack) -> None:
    mark = stack.desk.mark()
    ran = stack.desk.well("doctor", "--json")

    assert [one["check"] for one in told(ran)["checks"]] == [one.name for one in CHECKS]
    assert states(told(ran), "wrong", "not checked") == set()
    assert states(told(ran), "none") == {"endpoint-path"}
    assert told(ran)["first"] is None
    assert len(stack.desk.box.calls(mark)) <= 130  # each resource of the state is read, too
    assert stack.desk.tries(mark) == []


def walked(live_stack: LiveStack) -> dict[str, Any]:
    """What a walk finds."""
    return told(live_stack.desk.run("doctor", "--json"))


def wrong(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is wrong, by the finding's name and its check."""
    return {f"{one['finding']} {one['check']}": one for one in record["checks"] if one["state"] == "wrong"}


def check(record: dict[str, Any], broken: Sequence[Break]) -> None:
    """Each is told with what it is and what to type, and besides them only what follows from them."""
    found = wrong(record)
    for one in broken:
        line = found[f"{one.finding} {one.check}"]
        assert one.says in line["what"]
        assert one.type in line["type"]
        assert line["why"]
    wanted = {f"{one.finding} {one.check}" for one in broken}
    # What is broken may be a resource that the state tells of: that follows from any deed.
    follows = {"resource-not-healthy"} | {name for one in broken for name in one.also}
    assert {name for name in found.keys() - wanted if name.partition(" ")[0] not in follows} == set()
    assert states(record, "not checked") == {name for one in broken for name in one.hides}
    causes = [one.name for one in CHECKS if not one.is_symptom and one.name in states(record, "wrong")]
    assert record["first"]["check"] in (causes[:1] or states(record, "wrong"))


def mended(live_stack: LiveStack, broken: Sequence[Break]) -> None:
    """What is broken is found and nothing else, and what is told to be typed mends it."""
    for one in broken:
        one.act(live_stack)
    record = walked(live_stack)
    check(record, broken)
    for one in broken:
        one.meanwhile(live_stack)
    for _ in range(_WALKS):
        follow(live_stack, record, broken)
        for one in broken:
            one.afterwards(live_stack)
        record = walked(live_stack)
        if not wrong(record):
            break
    assert states(record, "wrong", "not checked") == set()


def follow(live_stack: LiveStack, record: dict[str, Any], broken: Sequence[Break]) -> None:
    """Type what is told of what was broken, and where that is mended of what remains; each command once.

    AWS's own commands first: an `apply` may need what they bring back.
    """
    found = wrong(record)
    wanted = [found[name] for one in broken if (name := f"{one.finding} {one.check}") in found]
    commands = {one["type"] for one in wanted or found.values()}
    for command in sorted(commands, key=lambda one: (not one.startswith("aws "), "apply" not in one)):
        type_it(live_stack.desk, command)


@pytest.mark.parametrize("turn", TURNS)
def test_what_is_broken_is_found_and_nothing_else_and_mended_as_told(stack: LiveStack, turn: int) -> None:
    mended(stack, [one for one in BREAKS if one.turn == turn])


@pytest.mark.slow
@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: f"{one.finding} {one.check}")
def test_what_alone_is_broken_is_found_alone(stack: LiveStack, broken: Break) -> None:
    mended(stack, [broken])


def test_what_the_firewall_blocked_is_shown_without_secrets(stack: LiveStack) -> None:
    [blocks] = [one for one in BREAKS if one.finding == "firewall-blocks"]
    blocks.act(stack)
    try:
        line = wrong(walked(stack))["firewall-blocks firewall"]
    finally:
        unmeasure(stack)

    assert line["evidence"] == "POST /api/v1 from CH, by NoUserAgent"


def test_the_first_thing_is_told_to_a_person_with_what_to_type(stack: LiveStack) -> None:
    """As a process, at the end of the way: what comes after the first wrong thing is not shown."""
    ecs = stack.aws("ecs")
    there = {"cluster": CLUSTER, "service": SERVICE}
    ecs.update_service(**there, desiredCount=0)
    try:
        ran = stack.desk.process("doctor", "--local")
    finally:
        ecs.update_service(**there, desiredCount=2)

    assert ran.code == 1
    assert re.search(r"^wrong  tasks +service +service-wants-none$", ran.out, re.MULTILINE)
    assert "database" not in ran.out
    assert ran.out.endswith(f"--service {SERVICE} --desired-count 2 --region {REGION}\n")
    assert "Why it matters: No task answers requests." in ran.out
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("ago", "state", "told_of_it"),
    [
        ((40, 38, 36), "ok", "3 of ml-api-service-prod did within the hour; that is over"),
        ((50, 30, 10), "wrong", "no task stops unexpectedly"),
    ],
    ids=["all run again since", "every 20 minutes another"],
)
def test_tasks_that_stopped_unasked_are_judged_by_what_is_now(
    stack: LiveStack, ago: tuple[int, ...], state: str, told_of_it: str
) -> None:
    one = service(stack)
    (deployment,) = one.deployments
    deployment.created -= 3600
    for minutes in ago:
        task = one.live[0]
        mark_stopped(task, "EssentialContainerExited", "Essential container in task exited")
        task.stopped -= 60 * minutes
        scheduler.settle(one)
    try:
        (line,) = (each for each in walked(stack)["checks"] if each["check"] == "stopped")
    finally:
        one.tasks = one.live
        deployment.created += 3600

    assert (line["state"], line["note"]) == (state, told_of_it)
    if state == "wrong":  # none of them wrote a line
        assert re.fullmatch(
            r"aws ecs describe-tasks --cluster ml-api-cluster-prod --tasks \w+ --region eu-west-1",
            line["type"],
        )


def test_all_goes_on_after_the_first(stack: LiveStack) -> None:
    measure("AWS/RDS", {"DBClusterIdentifier": DATABASE}, ACUUtilization=100.0)(stack)
    measure("AWS/DynamoDB", {"TableName": TABLE}, ReadThrottleEvents=1.0)(stack)
    try:
        ran = stack.desk.run("doctor", "--all")
    finally:
        unmeasure(stack)

    assert [line.split()[0] for line in ran.out.splitlines() if line.startswith("database/")] == [
        "database/capacity:",
        "database/throttles:",
    ]
    assert ran.out.count("Type: ") == 2


def test_what_may_not_be_read_is_not_checked_and_never_well(stack: LiveStack) -> None:
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
        "states",
    }
    notes = {one["note"] for one in told(ran)["checks"] if one["state"] == "not checked"}
    assert notes == {"these credentials lack ec2:DescribeSecurityGroups"}


def test_expired_credentials_end_it(stack: LiveStack) -> None:
    stack.desk.box.faults({"operation": "ecs:DescribeServices", "fault": "expired", "times": 99})
    try:
        ran = stack.desk.run("doctor")
    finally:
        stack.desk.box.faults()

    assert (ran.code, ran.out) == (3, "")


def test_a_suffix_that_nobody_knows_is_no_sick_stack(stack: LiveStack) -> None:
    ran = stack.desk.run("doctor", "--suffix", "nobody", "--region", REGION)

    assert (ran.code, ran.out) == (6, "")
    assert f"AWS has none in {REGION}" in ran.err


def test_without_a_ledger_and_with_its_policy_alone_it_sees_everything(stack: LiveStack, tmp_path: Path) -> None:
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
    assert states(told(ran), "none") == {"endpoint-path", "states"}
    assert len(states(told(ran), "ok")) == len(CHECKS) - 2
    allowed = [one for policy in given for one in policy["Statement"] if one["Effect"] == "Allow"]
    actions = {name for one in allowed for name in one["Action"]}
    assert all(reference.require_action(name).only_reads for name in actions)
    assert "secretsmanager:GetSecretValue" not in actions
