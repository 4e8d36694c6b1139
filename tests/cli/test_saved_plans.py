"""A plan that was kept is refused with what has moved; what a teardown would do is told beforehand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.resources import data_sources
from tests.support.account_inventory import client
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User


def kept(user: User, path: Path, *more: str) -> Path:
    """A plan of the stack in a file."""
    user.well("plan", "--suffix", SUFFIX, "--out", str(path), *more)
    return path


@pytest.fixture
def plan(live_stack: LiveStack, tmp_path: Path) -> Path:
    """The plan of a change to the standing stack; none of the tests lets it be applied."""
    return kept(live_stack.desk, tmp_path / "plan", "--set", "service.maximum=12")


def refused(user: User, plan: Path, *more: str) -> str:
    """What an apply of the plan says that must change nothing."""
    mark = user.mark()
    ran = user.run("apply", str(plan), *more)
    assert ran.code == 5, ran.err
    assert user.acts(mark) == []
    return ran.err


def test_settings_that_moved_are_named(live_stack: LiveStack, plan: Path) -> None:
    Path("ml-api.toml").write_text("[logs]\ndays = 60\n")

    assert "setting logs.days: 30 -> 60" in refused(live_stack.desk, plan)


def test_a_ledger_that_moved_is_named(live_stack: LiveStack, plan: Path) -> None:
    path = live_stack.desk.ledger(SUFFIX)
    former = path.read_text()
    serial = json.loads(former)["serial"]
    path.write_text(former.replace(f'"serial": {serial}', f'"serial": {serial + 1}'))
    try:
        assert f"serial {serial} -> {serial + 1}" in refused(live_stack.desk, plan)
    finally:
        path.write_text(former)


def test_what_moved_in_aws_is_named(live_stack: LiveStack, plan: Path) -> None:
    logs = client(live_stack.desk.box.endpoint, "logs")
    group = f"/aws/ecs/ml-api-{SUFFIX}"
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    try:
        told = refused(live_stack.desk, plan)
    finally:
        logs.put_retention_policy(logGroupName=group, retentionInDays=30)

    assert "logs/ecs-logs-retention: action keep -> update" in told
    assert "retentionInDays: 1 -> 30" in told


def test_another_zone_than_the_one_shown_is_named(
    live_stack: LiveStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(live_stack.desk, tmp_path / "plan", "--set", "network.zones=4")
    listed = [f"us-east-1{letter}" for letter in "abcef"]
    monkeypatch.setattr(data_sources, "usable_zones", lambda _clients: listed)

    told = refused(live_stack.desk, path)

    assert re.search(r'zones: .*"us-east-1d"\] -> .*"us-east-1e"\]', told)


def test_another_place_is_named(live_stack: LiveStack, plan: Path) -> None:
    assert "a plan of the local AWS" in live_stack.desk.run("apply", str(plan), local=False).err
    ran = live_stack.desk.run("apply", str(plan), "--suffix", "other")
    assert ran.code == 64
    assert "other" in ran.err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("not json", 64, "no plan of this tool"),
        ("[]", 64, "no plan of this tool"),
        ('{"format_version": 1}', 64, "no plan of this tool"),
        ('{"format_version": 9, "digest": "", "tool": "0.0.1"}', 5, "0.0.1"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(
    live_stack: LiveStack, tmp_path: Path, text: str, code: int, words: str
) -> None:
    path = tmp_path / "plan"
    path.write_text(text)

    ran = live_stack.desk.run("apply", str(path))

    assert ran.code == code
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_plan_that_was_edited_is_refused(live_stack: LiveStack, plan: Path) -> None:
    document: dict[str, Any] = json.loads(plan.read_text())
    document["changes"]["vpc"]["action"] = "delete"
    plan.write_text(json.dumps(document))

    ran = live_stack.desk.run("apply", str(plan))

    assert ran.code == 64
    assert "changed after it was written" in ran.err


@pytest.mark.slow
def test_the_plan_of_an_end_is_the_same_from_both_commands(live_stack: LiveStack) -> None:
    user = live_stack.desk

    mark = user.mark()
    end, dry = user.well("plan", "--destroy", "--suffix", SUFFIX), user.well("teardown", "--dry-run")
    told = user.well("plan", "--destroy", "--suffix", SUFFIX, "--json").lines[0]

    assert user.tries(mark) == []
    assert end.out == dry.out
    assert f"the database ml-api-aurora-{SUFFIX} and its automated backups, with no last snapshot" in end.out
    assert f"the table ml-api-sessions-{SUFFIX}" in end.out
    wave = {change["node"]: change["wave"] for change in told["changes"]}
    assert wave["writer"] < wave["aurora"] < wave["private-1"] < wave["vpc"]
    assert wave["edge"] == 1
    assert told["summary"]["destroy"] == len(told["changes"])
    assert user.run("plan", "--destroy", "--suffix", SUFFIX, "--detailed-exitcode").code == 2


def test_the_last_snapshot_is_told(live_stack: LiveStack) -> None:
    ran = live_stack.desk.well("teardown", "--dry-run", "--set", "database.final_snapshot=true")

    assert f"its data stay in the snapshot ml-api-aurora-{SUFFIX}-final-" in ran.out


def test_the_end_of_nothing_is_no_change(live_stack: LiveStack) -> None:
    assert live_stack.desk.well("plan", "--destroy", "--suffix", "other").out == "No changes.\n"
