"""Fields that others hold are told as theirs, and are never set back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.resources.rds.aurora import is_newer_minor
from tests.support.account_inventory import client
from tests.support.image_registry import push
from tests.support.live_stack import SUFFIX, LiveStack, tags
from tests.support.manual_changes import CLUSTER, SERVICE
from tests.support.user import User

SHIPPED = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ml-api:1.4.2"


def ship(live_stack: LiveStack) -> None:
    """What `deploy` comes to: a revision with another image, run by the service that says whose it is."""
    ecs, ecr, task = live_stack.aws("ecs"), live_stack.aws("ecr"), live_stack.task
    ecr.create_repository(repositoryName="ml-api")
    push(ecr, "ml-api", "1.4.2")
    container = {**task["containerDefinitions"][0], "image": SHIPPED}
    kept = ("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "runtimePlatform")
    made = ecs.register_task_definition(
        **{key: task[key] for key in (*kept, "executionRoleArn", "taskRoleArn")},
        containerDefinitions=[container],
    )["taskDefinition"]
    arn = made["taskDefinitionArn"]
    ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=arn)
    mark = {"key": "ml-api:image-owner", "value": "deploy"}
    ecs.tag_resource(resourceArn=live_stack.service["serviceArn"], tags=[mark])


def image(live_stack: LiveStack) -> str:
    """What the service runs."""
    return str(live_stack.task["containerDefinitions"][0]["image"])


def left(user: User, command: str, *more: str) -> list[dict[str, Any]]:
    """What a command tells as left to others."""
    (told,) = user.well(command, "--suffix", SUFFIX, "--json", *more).lines
    if command == "plan":
        return list(told["held"])
    return [field for one in told["drift"] if one["what"] == "held" for field in one["fields"]]


def test_a_minor_version_is_awss(live_stack: LiveStack) -> None:
    user, running = live_stack.desk, live_stack.cluster["EngineVersion"]
    older = f"{running.split('.')[0]}.4"
    ledger = user.ledger(SUFFIX)
    kept = ledger.read_text()
    ledger.write_text(kept.replace(f'"{running}"', f'"{older}"'))

    assert user.plan(SUFFIX) == "No changes.\n"
    told = next(one for one in left(user, "drift") if one["path"] == "EngineVersion")
    assert (told["ledger"], told["aws"]) == (older, running)
    assert user.run("drift", "--suffix", SUFFIX, "--detailed-exitcode").code == 0
    ledger.write_text(kept)


@pytest.mark.slow
def test_an_image_that_was_shipped_stays_until_it_is_taken_back(live_stack: LiveStack, tmp_path: Path) -> None:
    user = live_stack.desk
    before = image(live_stack)
    ship(live_stack)

    larger = ("--set", "container.cpu=2048", "--set", "container.memory=4096")
    user.apply(SUFFIX, *larger)

    assert (image(live_stack), live_stack.task["cpu"]) == (SHIPPED, "2048")
    for command in ("plan", "drift"):
        (told,) = left(user, command, *larger)
        assert (told["path"], told["owner"]) == ("image", "deploy")
    ran = user.well("plan", "--suffix", SUFFIX, *larger)
    assert ran.out == "No changes.\n"
    assert f"Managed by deploy: ecs/service image is {SHIPPED}; the settings say {before}" in ran.err

    other = LiveStack(user.elsewhere(tmp_path / "another"))
    other.desk.apply(SUFFIX)
    assert image(other) == SHIPPED

    kept = tmp_path / "plan.json"
    other.desk.well("plan", "--suffix", SUFFIX, "--take", "image", "--out", str(kept))
    other.desk.well("apply", str(kept))
    assert image(other) == before
    assert "ml-api:image-owner" not in tags(other.service["tags"])
    assert other.desk.plan(SUFFIX) == "No changes.\n"
    assert left(other.desk, "plan") == []
    user.apply(SUFFIX)


@pytest.mark.parametrize(
    ("seen", "wanted", "is_awss"),
    [
        ("15.12", "15.10", True),
        ("15.10", "15.10", True),
        ("15.9", "15.10", False),
        ("16.1", "15.10", False),
        ("15.10", "16.1", False),
        ("15.3", "15", True),
    ],
)
def test_aws_upgrades_within_a_major_version_and_never_back(seen: str, wanted: str, is_awss: bool) -> None:
    assert is_newer_minor(seen, wanted) is is_awss


POLICY, FOR_EVER = "ninety-days", "NEVER_EXPIRE"


def keep_for(logs: Any, days: int | str) -> None:
    """An account's administrator decides how long all its groups keep."""
    document = json.dumps({"retentionInDays": days, "enforcementMode": "RETROACTIVE"})
    logs.put_account_policy(policyName=POLICY, policyType="RETENTION_POLICY", policyDocument=document)


def kept_for(logs: Any) -> set[int | None]:
    """How long the groups keep."""
    return {one.get("retentionInDays") for one in logs.describe_log_groups()["logGroups"]}


def test_an_accounts_log_retention_is_left_and_ours_counts_again_after_it(
    live_stack: LiveStack,
) -> None:
    user, logs = live_stack.desk, live_stack.aws("logs")
    own = kept_for(logs)
    keep_for(logs, 90)

    ran = user.well("plan", "--suffix", SUFFIX)
    assert ran.out == "No changes.\n"
    assert f"Managed by the account's log retention policy {POLICY}: " in ran.err
    assert "retentionInDays is 90; the settings say 30" in ran.err
    groups = len(logs.describe_log_groups()["logGroups"])
    assert groups > 1
    (once,) = [line for line in ran.err.splitlines() if "Managed by" in line]
    assert once.count("logs/") + once.count("vpc/") >= 2
    drift = user.well("drift", "--suffix", SUFFIX)
    assert drift.out.count("(left to ") == drift.out.count("retentionInDays: 30 -> 90") == 1
    before = user.mark()
    user.apply(SUFFIX)
    assert user.acts(before) == []
    told = left(user, "drift")
    assert {(one["aws"], one["owner"]) for one in told if one["path"] == "retentionInDays"} == {
        (90, f"the account's log retention policy {POLICY}")
    }
    assert user.run("drift", "--suffix", SUFFIX, "--detailed-exitcode").code == 0

    # What the settings say meanwhile is put beside it, once.
    before = user.mark()
    user.apply(SUFFIX, "--set", "logs.days=60")
    assert set(user.acts(before)) == {"logs:PutRetentionPolicy"}
    assert kept_for(logs) == {90}
    logs.delete_account_policy(policyName=POLICY, policyType="RETENTION_POLICY")
    assert kept_for(logs) == {60}
    assert user.plan(SUFFIX, "--set", "logs.days=60") == "No changes.\n"
    user.apply(SUFFIX)
    assert kept_for(logs) == own


def test_logs_that_an_account_keeps_for_ever_are_told_so(live_stack: LiveStack) -> None:
    user, logs = live_stack.desk, live_stack.aws("logs")
    keep_for(logs, FOR_EVER)

    ran = user.well("plan", "--suffix", SUFFIX)

    logs.delete_account_policy(policyName=POLICY, policyType="RETENTION_POLICY")
    assert ran.out == "No changes.\n"
    assert f"retentionInDays is {FOR_EVER}; the settings say 30" in ran.err


def test_a_stack_that_is_made_or_adopted_under_such_a_policy_has_days_of_its_own(user: User, tmp_path: Path) -> None:
    logs = client(user.box.endpoint, "logs")
    keep_for(logs, 90)
    user.apply("a")
    again = user.elsewhere(tmp_path / "another")

    again.apply("a")

    logs.delete_account_policy(policyName=POLICY, policyType="RETENTION_POLICY")
    assert kept_for(logs) == {30}
    assert again.plan("a") == "No changes.\n"
    keep_for(logs, 90)
    again.teardown("a")
    assert kept_for(logs) == set()


def test_of_two_policies_of_an_account_the_longer_counts_and_one_for_new_groups_spares_the_old(
    user: User,
) -> None:
    user.box.behave(behaviours=False, speed=0.0)
    logs = client(user.box.endpoint, "logs")
    logs.create_log_group(logGroupName="old")
    keep_for(logs, 90)
    document = json.dumps({"retentionInDays": FOR_EVER, "enforcementMode": "NEW_ONLY"})
    logs.put_account_policy(
        policyName="x",
        policyType="RETENTION_POLICY",
        policyDocument=document,
        selectionCriteria='LogGroupNamePrefix IN ["new"]',
    )
    logs.create_log_group(logGroupName="new-one")

    groups = {one["logGroupName"]: one for one in logs.describe_log_groups()["logGroups"]}

    assert (groups["old"]["retentionPolicyName"], groups["old"]["retentionInDays"]) == (POLICY, 90)
    assert groups["new-one"]["retentionPolicyName"] == "x"
    assert "retentionInDays" not in groups["new-one"]
    assert len(logs.describe_account_policies(policyType="RETENTION_POLICY")["accountPolicies"]) == 2
