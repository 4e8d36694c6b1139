"""What a plan shows, and what it says besides; one stack stands for all of them."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock
from provisioner.engine.planning.diff import Difference
from provisioner.terminal.differences import difference_lines, external_field_lines
from state.lock import FileLock
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network."""

    def refuse(*_: object) -> None:
        raise AssertionError("no call may be made")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@contextmanager
def change(user: User, **entries: dict[str, object]) -> Iterator[None]:
    """The stack's ledger with some fields of some entries otherwise, and then as it was."""
    path = user.ledger(SUFFIX)
    former = path.read_bytes()
    document = json.loads(former)
    for name, fields in entries.items():
        document["entries"][name].update(fields)
    path.write_text(json.dumps(document))
    try:
        yield
    finally:
        path.write_bytes(former)


def test_offline_the_whole_graph_is_printed_without_a_call(served: LocalAws, tmp_path: Path, silence: None) -> None:
    user = User(served, tmp_path)

    ran = user.run("plan", "--offline", "--suffix", "a", local=False)
    told = user.run("plan", "--offline", "--suffix", "a", "--json", "--set", "network.zones=2", local=False)

    assert ran.code == 0, ran.err
    assert "+ ecs/service: Service ml-api-service-a" in ran.out
    assert "nat-1 (ready: a task pulls its image through it)" in ran.out
    nodes = {node["node"]: node for node in told.lines[0]["nodes"]}
    assert "public-2" in nodes
    assert "public-3" not in nodes
    assert nodes["nat-1"]["properties"]["SubnetId"] == "<public-1.id>"
    assert nodes["db-parameters"]["properties"]["DBParameterGroupFamily"] == "aurora-postgresql17"
    assert told.lines[0]["outputs"]["cloudfront_distribution_url"] == "https://<edge.DomainName>"


def test_offline_a_process_needs_neither_network_nor_credentials(served: LocalAws, tmp_path: Path) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "false"}

    ran = User(served, tmp_path).process("plan", "--offline", "--suffix", "a", **nowhere)

    assert ran.code == 0, ran.err
    assert re.search(r"^\d+ resources and 4 of the account's own roles declared in \d+ steps\.$", ran.out, re.MULTILINE)


def test_offline_a_wrong_setting_is_refused(served: LocalAws, tmp_path: Path, silence: None) -> None:
    ran = User(served, tmp_path).run("plan", "--offline", "--suffix", "a", "--set", "network.zones=9", local=False)

    assert ran.code == 64
    assert "network.zones" in ran.err


def test_a_field_deep_inside_is_shown_by_its_path() -> None:
    old = [{"name": "api", "image": "one", "ports": [{"port": 1}]}]
    new = [{"name": "api", "image": "two", "ports": [{"port": 2}]}]

    shown = list(difference_lines([Difference("containers", old, new), Difference("Tags.team", None, "a")]))

    assert shown == [
        "containers.api.image: one -> two",
        "containers.api.ports.0.port: 1 -> 2",
        "Tags.team: (none) -> a",
    ]


def test_of_a_long_list_the_members_that_differ_are_shown() -> None:
    old = [{"name": "HOST", "value": "x" * 99}, {"name": "MODEL", "value": "small"}]
    new = [
        {"name": "HOST", "value": "x" * 99},
        {"name": "MODEL", "value": "large"},
        {"name": "A", "value": "b"},
    ]
    rules = [{"Field": "path", "Values": ["v" * 99]}, {"Field": "header", "Values": ["k"]}]

    shown = list(
        difference_lines(
            [
                Difference("told", old, new),
                Difference("asked", rules, rules[:1]),
                Difference("asked", rules[:1], rules),
                Difference("turned", rules, [rules[1], {**rules[0], "Field": "host"}]),
                Difference("zones", ["a", "b"], ["a"]),
            ]
        )
    )

    assert shown == [
        "told.MODEL.value: small -> large",
        'told.A: (none) -> {"value": "b"}',
        'asked[]: {"Field": "header", "Values": ["k"]} -> (none)',
        'asked[]: (none) -> {"Field": "header", "Values": ["k"]}',
        "turned.1.Field: path -> host",
        'zones: ["a", "b"] -> ["a"]',
    ]


def test_what_another_owner_holds_is_told_as_it_is_now() -> None:
    held = [
        Difference("desiredCount", 2, 0),
        Difference("WebACLId", "arn:theirs", None),
        Difference("Policy", None, "ours"),
        Difference("spread.base", {"FARGATE": 1, "SPOT": 3}, {"FARGATE": 2}),
    ]

    assert list(external_field_lines(held)) == [
        "desiredCount is 2; the settings say 0",
        "WebACLId is arn:theirs; the settings say nothing",
        "has no Policy; the settings say ours",
        "spread.base.FARGATE is 1; the settings say 2",
    ]


def test_two_long_values_are_told_from_where_they_differ() -> None:
    long = "a" * 200

    [shown] = difference_lines([Difference("command", f"{long}-1{long}", f"{long}-2{long}")])

    old, new = shown.removeprefix("command: ").split(" -> ")
    assert old.startswith("…aaa")
    assert "-1a" in old
    assert "-2a" in new


def test_where_one_key_takes_anothers_place_both_are_told() -> None:
    old = {"Principal": {"AWS": "*"}, "Sid": "aws-made"}
    new = {"Principal": {"Service": "ecs-tasks.amazonaws.com"}}

    assert list(difference_lines([Difference("Statement", old, new)])) == [
        "Statement.Principal.AWS: * -> (none)",
        "Statement.Principal.Service: (none) -> ecs-tasks.amazonaws.com",
    ]
    assert list(difference_lines([Difference("DefaultAction", {"Allow": {}}, {"Block": {}})])) == [
        "DefaultAction.Allow: {} -> (none)",
        "DefaultAction.Block: (none) -> {}",
    ]


def test_an_empty_text_is_told_as_one() -> None:
    assert list(difference_lines([Difference("WebACLId", "", "arn")])) == ['WebACLId: "" -> arn']


def test_all_stacks_are_named_where_there_are_several(live_stack: LiveStack) -> None:
    ran = live_stack.desk.well("plan", "--all")

    assert ran.out == f"{SUFFIX}:\nNo changes.\n"


def test_a_run_that_is_under_way_is_named(live_stack: LiveStack) -> None:
    user = live_stack.desk
    path = user.ledger(SUFFIX)
    with (
        change(user, aurora={"phase": "finishing"}),
        FileLock(path.with_name(f".{SUFFIX}.lock"), "apply", 0, Clock()),
    ):
        ran = user.plan(SUFFIX)
        told = user.well("plan", "--suffix", SUFFIX, "--json").lines[0]

    assert ran.startswith("A run is under way: `apply` (process ")
    assert "to be waited for: the run under way waits for it" in ran
    assert told["notes"][0].startswith("A run is under way")
    assert told["changes"][0]["action"] == "finish"


def test_a_teardown_that_did_not_end_is_told(live_stack: LiveStack) -> None:
    user = live_stack.desk
    with FileLock(user.ledger(SUFFIX).with_name(f".{SUFFIX}.lock"), "teardown", 0, Clock()):
        pass
    with change(user, aurora={"phase": "deleting", "intent": {"verb": "delete", "token": "t", "at": 0.0}}):
        ran = user.plan(SUFFIX)

    assert ran.startswith("A teardown did not end: 0 are gone, 1 were going, ")
    assert f"teardown --suffix {SUFFIX} --local` goes on with it" in ran


def test_an_apply_that_did_not_end_is_no_teardown(live_stack: LiveStack) -> None:
    user = live_stack.desk
    with FileLock(user.ledger(SUFFIX).with_name(f".{SUFFIX}.lock"), "apply", 0, Clock()):
        pass
    with change(user, aurora={"phase": "finishing"}):
        ran = user.plan(SUFFIX)

    assert "did not end" not in ran
    assert "an earlier run did not get to confirm it" in ran


def test_what_a_new_one_is_asked_for_stands_in_the_json(live_stack: LiveStack) -> None:
    told = live_stack.desk.well("plan", "--suffix", "other", "--json").lines[0]

    vpc = next(change for change in told["changes"] if change["node"] == "vpc")
    assert vpc["properties"] == {"CidrBlock": "10.0.0.0/16"}
    nat = next(change for change in told["changes"] if change["node"] == "nat-1")
    assert nat["properties"]["SubnetId"] == "(known after apply)"


def test_a_subnet_of_somebody_elses_in_our_network_is_found_beforehand(live_stack: LiveStack) -> None:
    ec2 = live_stack.aws("ec2")
    made = ec2.create_subnet(VpcId=live_stack.vpc, CidrBlock="10.0.3.128/25")["Subnet"]["SubnetId"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # AWS hides what is new
        if made in str(live_stack.ec2("describe_subnets", "Subnets", vpc_id=live_stack.vpc)):
            break
    try:
        ran = live_stack.desk.run("apply", "--yes", "--suffix", SUFFIX, "--set", "network.zones=4")
    finally:
        ec2.delete_subnet(SubnetId=made)

    assert ran.code == 5
    assert f"vpc/public-4: 10.0.3.0/24 overlaps 10.0.3.128/25 of {made} in AWS" in ran.err
