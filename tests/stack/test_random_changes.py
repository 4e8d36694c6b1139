"""However settings are changed, things are done by hand and applies are made: it ends with a silent plan."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.support.live_stack import SUFFIX, LiveStack, tags
from tests.support.manual_changes import ALTERED, ManualChange
from tests.support.manual_children import ADDED

# `make wander` asks for more, at random; by default the same few are tried each time.
WANDERINGS = int(os.environ.get("WANDERINGS", "0"))

Choices = dict[str, tuple[Any, ...]]
# Each setting with its default first.
CHOICES: Choices = {
    "service.maximum": (10, 20),
    "logs.days": (30, 90),
    "database.max_acu": (2, 4),
    "api.prefixes": (("/api/v1/*", "/api/v2/*"), ("/api/v2/*",), ("/api/v2/*", "/v3/*")),
    "container.port": (8080, 9090),
    "tags": ({}, {"team": "search"}),
    "network.nat": ("one", "per_zone"),
}
# What can be done at any time, whatever the settings are.
NODES = {"aurora", "task-role", "aurora-logs-retention", "ecs-logs", "sessions-ttl", "alb-attributes"}
NODES |= {"rule-tasks-db-in", "route-public", "cluster", "sg-tasks", "routes-public"}
HANDS = [hand for hand in (*ALTERED, *ADDED) if hand.node in NODES and hand.verb != "leaves"]
HANDS = [hand for hand in HANDS if "attached policy" not in hand.what]


class Wander(RuleBasedStateMachine):
    """One stack, somebody who changes its settings, and somebody who does things to it by hand."""

    def __init__(self, live_stack: LiveStack) -> None:
        super().__init__()
        self.standing = live_stack
        self.wanted = {key: values[0] for key, values in CHOICES.items()}
        self.done: list[ManualChange] = []

    @rule(key=st.sampled_from(sorted(CHOICES)), data=st.data())
    def change_a_setting(self, key: str, data: st.DataObject) -> None:
        """Write it down; nothing is called."""
        self.wanted[key] = data.draw(st.sampled_from(CHOICES[key]))

    @rule(hands=st.lists(st.sampled_from(HANDS), min_size=1, max_size=3, unique_by=lambda hand: hand.node))
    def do_by_hand(self, hands: list[ManualChange]) -> None:
        """Whatever was not done since the last apply."""
        for hand in hands:
            if all(hand.node != done.node for done in self.done):
                note(f"by hand: {hand.what} in {hand.node}")
                hand.act(self.standing)
                self.done.append(hand)

    @precondition(lambda self: self.done)
    @rule()
    def look(self) -> None:
        """Drift is what was done by hand, whatever the settings say by now."""
        (told,) = self._run("drift", "--json").lines
        named = {one["node"] for one in told["drift"]}
        assert {hand.node for hand in self.done} <= named

    @rule()
    def apply(self) -> None:
        """All is as the settings say, and the next plan is silent."""
        self._run("apply", "--yes")
        self.done.clear()
        assert self._run("plan").out == "No changes.\n"
        assert found(self.standing) == expected(self.wanted)

    def teardown(self) -> None:
        """Back to where it began, for the next one."""
        self.wanted = {key: values[0] for key, values in CHOICES.items()}
        self.apply()

    def _run(self, command: str, *more: str) -> Any:
        sets = (
            part
            for key, value in self.wanted.items()
            for part in ("--set", f"{key}={value if isinstance(value, (int, str)) else json.dumps(value)}")
        )
        return self.standing.desk.well(command, "--suffix", SUFFIX, *more, *sets)


def expected(wanted: dict[str, Any]) -> dict[str, Any]:
    """What the settings say of what AWS holds."""
    ways_out = 3 if wanted["network.nat"] == "per_zone" else 1
    return {
        "tasks at most": wanted["service.maximum"],
        "days": {wanted["logs.days"]},
        "capacity": wanted["database.max_acu"],
        "paths": {*wanted["api.prefixes"], "/errors/403.html", "/errors/404.html"},
        "ports": {80, 443, 5432, wanted["container.port"]},
        "team": wanted["tags"].get("team"),
        "nat gateway": ways_out,
        "address": ways_out,
        "route table": 1 + ways_out,
        "group rule": 7,
        "rights": 4,
        "routes by hand": 0,
        "idle": "60",
    }


def found(live_stack: LiveStack) -> dict[str, Any]:
    """The same, as AWS says."""
    groups = {one["GroupId"] for one in live_stack.ec2("describe_security_groups", "SecurityGroups")}
    rules = [
        one
        for one in live_stack.aws("ec2").describe_security_group_rules()["SecurityGroupRules"]
        if one["GroupId"] in groups
    ]
    tables = live_stack.ec2("describe_route_tables", "RouteTables")
    gateways = live_stack.ec2("describe_nat_gateways", "NatGateways")
    scaling = live_stack.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    attributes = live_stack.aws("elbv2").describe_load_balancer_attributes(
        LoadBalancerArn=live_stack.balancer["LoadBalancerArn"]
    )["Attributes"]
    cluster = live_stack.cluster
    return {
        "tasks at most": scaling["ScalableTargets"][0]["MaxCapacity"],
        "days": {one.get("retentionInDays") for one in groups_of_logs(live_stack)},
        "capacity": cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"],
        "paths": set(live_stack.rules),
        "ports": {one["FromPort"] for one in rules},
        "team": tags(cluster["TagList"]).get("team"),
        "nat gateway": sum(one["State"] == "available" for one in gateways),
        "address": len(live_stack.ec2("describe_addresses", "Addresses")),
        "route table": len(tables),
        "group rule": len(rules),
        "rights": len(list(live_stack.statements())),
        "routes by hand": json.dumps(tables).count("198.51.100.0/24"),
        "idle": next(one["Value"] for one in attributes if one["Key"] == "idle_timeout.timeout_seconds"),
    }


def groups_of_logs(live_stack: LiveStack) -> list[dict[str, Any]]:
    """Those of the settings: what a hand let Aurora export lies in a group of its own until the teardown."""
    groups = live_stack.aws("logs").describe_log_groups()["logGroups"]
    return [one for one in groups if not one["logGroupName"].endswith("/instance")]


@pytest.mark.slow
def test_a_wandering_stack_always_comes_to_rest(live_stack: LiveStack) -> None:
    run_state_machine_as_test(
        lambda: Wander(live_stack),  # type: ignore[arg-type] # it is called, whatever it is
        settings=settings(
            max_examples=WANDERINGS or 3,
            stateful_step_count=12 if WANDERINGS else 5,
            derandomize=not WANDERINGS,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
