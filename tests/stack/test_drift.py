"""What is done to a stack by hand is told by `drift`, planned for, and mended by one `apply`."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import clock
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack
from tests.support.manual_changes import ALTERED, DATABASE, DELETED, TASKS_LOG, ManualChange
from tests.support.manual_children import ADDED
from tests.support.touched import TOUCHED


def drift(live_stack: LiveStack, *more: str) -> list[dict[str, Any]]:
    """What `drift` tells."""
    (told,) = live_stack.desk.well("drift", "--suffix", SUFFIX, "--json", *more).lines
    assert (told["type"], told["format_version"]) == ("drift", 1)
    return list(told["drift"])


def plan(live_stack: LiveStack, *more: str) -> dict[str, str]:
    """What `plan` would do, by node."""
    (told,) = live_stack.desk.well("plan", "--suffix", SUFFIX, "--json", *more).lines
    return {one["node"]: one["action"] for one in told["changes"]}


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("is_young", [True, False], ids=["seconds old", "old"])
def test_a_log_group_that_aws_hides_is_gone_only_when_it_is_old(
    live_stack: LiveStack, command: str, is_young: bool
) -> None:
    """Seen live: a log group seconds old was called deleted outside of this tool."""
    path = live_stack.desk.ledger(SUFFIX)
    ledger = json.loads(path.read_text())
    for entry in ledger["entries"].values():
        entry["made"] = time.time() + 1000 if is_young else 1.0
    path.write_text(json.dumps(ledger))
    kind = next(one for one in lag.LAG_RULES if one.create == "CreateLogGroup")
    lag.hidden_resources.at(ACCOUNT, "us-east-1")[TASKS_LOG] = lag.Hidden(
        kind, TASKS_LOG, clock.now() + (0 if is_young else 60), reads=1
    )

    told = live_stack.desk.run(command, "--suffix", SUFFIX, "--detailed-exitcode")

    assert told.code == (0 if is_young else 2), told.out
    assert told.out == ({"plan": "No changes.\n", "drift": "No drift.\n"}[command] if is_young else told.out)
    lag.hidden_resources.at(ACCOUNT, "us-east-1").pop(TASKS_LOG)


def test_what_is_not_seen_once_and_is_there_after_all_is_made_no_second_time(live_stack: LiveStack) -> None:
    path = live_stack.desk.ledger(SUFFIX)
    ledger = json.loads(path.read_text())
    for entry in ledger["entries"].values():
        entry["made"] = 1.0
    path.write_text(json.dumps(ledger))
    vpc, mark = live_stack.vpc, live_stack.desk.mark()
    kind = next(one for one in lag.LAG_RULES if one.create == "CreateVpc")
    lag.hidden_resources.at(ACCOUNT, "us-east-1")[vpc] = lag.Hidden(kind, vpc, reads=2)

    ran = live_stack.desk.well("apply", "--yes", "--suffix", SUFFIX)

    assert "No changes." in ran.err + ran.out
    assert live_stack.desk.acts(mark) == []
    assert live_stack.vpc == vpc


def test_a_changed_setting_is_no_drift_and_is_told_where_both_differ(live_stack: LiveStack) -> None:
    more = ("--set", "database.max_acu=4", "--set", "service.maximum=20")
    assert drift(live_stack, *more) == []
    assert plan(live_stack, *more) == {"aurora": "update", "scaling": "update"}
    rds = live_stack.aws("rds")
    for most in (8, 2):
        capacity = {"MinCapacity": 0.5, "MaxCapacity": most}
        rds.modify_db_cluster(DBClusterIdentifier=DATABASE, ServerlessV2ScalingConfiguration=capacity)
        if most == 8:
            (told,) = drift(live_stack, *more)
            ran = live_stack.desk.process("drift", "--local", "--detailed-exitcode", *more)

    field = {"path": "ServerlessV2ScalingConfiguration.MaxCapacity", "ledger": 2, "aws": 8, "wanted": 4}
    assert (told["node"], told["fields"]) == ("aurora", [{**field, "owner": ""}])
    assert ran.code == 2, ran.err
    assert "MaxCapacity: 2 -> 8.0; the settings now say 4.0" in ran.out
    assert ran.out.splitlines()[-1] == "Drift: 1 changed."


@pytest.mark.parametrize(
    "hands",
    [
        pytest.param(ALTERED + TOUCHED, id="altered", marks=pytest.mark.slow),
        pytest.param(DELETED, id="deleted"),
    ],
)
def test_what_is_done_by_hand_is_told_planned_and_mended(live_stack: LiveStack, hands: list[ManualChange]) -> None:
    assert drift(live_stack) == []
    for hand in hands:
        hand.act(live_stack)

    told, planned = drift(live_stack), plan(live_stack)

    assert {(hand.node, hand.what) for hand in hands} <= {(one["node"], one["what"]) for one in told}
    assert {hand.node: hand.verb for hand in hands}.items() <= planned.items()
    assert live_stack.desk.run("drift", "--suffix", SUFFIX, "--detailed-exitcode").code == 2
    live_stack.desk.apply(SUFFIX)
    assert drift(live_stack) == []


def test_a_rule_that_was_numbered_anew_goes_back_without_a_gap(live_stack: LiveStack) -> None:
    before = live_stack.rules["/api/v1/*"]
    told = {"RuleArn": before["RuleArn"], "Priority": 7}
    live_stack.aws("elbv2").set_rule_priorities(RulePriorities=[told])

    assert plan(live_stack) == {"rule-api-v1": "update"}
    assert [(one["node"], one["what"]) for one in drift(live_stack)] == [("rule-api-v1", "altered")]
    live_stack.desk.apply(SUFFIX)

    assert live_stack.rules["/api/v1/*"] == before
    assert drift(live_stack) == []


def test_what_is_added_by_hand_goes_where_we_own_what_is_inside(live_stack: LiveStack) -> None:
    for hand in ADDED:
        hand.act(live_stack)

    def found() -> set[tuple[str, str]]:
        told = [one for one in drift(live_stack) if one["what"] == "extra"]
        return {
            (one["node"], f"{one['remedy'].split()[1]} {hand.what}")
            for one in told
            for hand in ADDED
            if one["extra"].startswith(hand.what)
        }

    expected = {(hand.node, f"{hand.verb} {hand.what}") for hand in ADDED}
    assert found() == expected
    text = live_stack.desk.plan(SUFFIX)
    for hand in ADDED:
        assert (f"- {hand.what}" in text) is (hand.verb == "removes")
    live_stack.desk.apply(SUFFIX)
    assert found() == {(node, words) for node, words in expected if words.startswith("leaves")}


# AWS refuses to let go of what bears public addresses; the account's own roles are not the stack's.
LEFT_OUT = {"GatewayAttachment", "ServiceLinkedRole"}


def test_every_kind_that_the_stack_has_is_touched_by_hand() -> None:
    stack = build(Settings(profile="seed"), SUFFIX, "us-east-1", offline_lookups(3, "15"))
    touched = {hand.node for hand in (*ALTERED, *TOUCHED, *DELETED, *ADDED)}

    type_names = {str(resource.type) for resource in stack}
    assert type_names - {str(resource.type) for resource in stack if resource.logical_id in touched} == LEFT_OUT
