"""What only one may hold: who goes first, what is taken back, and which priority a prefix keeps."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any
from unittest.mock import Mock

import pytest

from provisioner.configuration import load_settings
from provisioner.engine.execution.replacement import depose_moved
from provisioner.engine.planning.conflicts import are_in_conflict, find_conflicts, recorded_state_of
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.types.data import CutoverPhase
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.elbv2.listener_rules import ListenerRule
from provisioner.resources.elbv2.target_groups import TargetGroup
from provisioner.stack import build
from provisioner.steps.alb_rules import assign_priorities, preferred_priority
from provisioner.steps.lookups import offline_lookups
from state.findings import StateFindings, with_findings
from state.stack_state import ResourceState, StackLocation, StackState

# Two prefixes whose own priority is the same.
ONE, OTHER = next(
    pair
    for pair in combinations([f"/api/v{n}/*" for n in range(100, 200)], 2)
    if preferred_priority(pair[0]) == preferred_priority(pair[1])
)


def rule(place: int, listener: str = "l-1") -> dict[str, Any]:
    return {"ListenerArn": listener, "Priority": place}


def subnet(block: str, vpc: str) -> dict[str, Any]:
    return {"VpcId": vpc, "CidrBlock": block}


@pytest.mark.parametrize(
    ("kind", "one", "other", "clashes"),
    [
        ("ListenerRule", rule(5), rule(5), True),
        ("ListenerRule", rule(5), rule(6), False),
        ("ListenerRule", rule(5), rule(5, "l-2"), False),
        (
            "Subnet",
            subnet("10.0.0.0/24", "v"),
            subnet("10.0.0.0/20", "v"),
            True,
        ),
        (
            "Subnet",
            subnet("10.0.0.0/24", "v"),
            subnet("10.0.1.0/24", "v"),
            False,
        ),
        (
            "Subnet",
            subnet("10.0.0.0/24", "v"),
            subnet("10.0.0.0/24", "w"),
            False,
        ),
        ("Listener", {"LoadBalancerArn": "b", "Port": 80}, {"LoadBalancerArn": "b", "Port": 80}, True),
        ("TargetGroup", {"Name": "a", "Port": 1}, {"Name": "a", "Port": 2}, True),
        ("TargetGroup", {"Name": "a"}, {"Name": "b"}, False),
        ("TaskDefinition", {"family": "a"}, {"family": "a"}, False),
        ("Vpc", {"CidrBlock": "10.0.0.0/16"}, {"CidrBlock": "10.0.0.0/16"}, False),
    ],
)
def test_two_clash_where_aws_holds_only_one(
    kind: str, one: dict[str, Any], other: dict[str, Any], *, clashes: bool
) -> None:
    assert are_in_conflict(RESOURCE_TYPES[kind], one, other) is clashes


def test_a_new_one_waits_for_what_holds_its_claim_and_for_what_needs_that() -> None:
    new = Resource(ListenerRule(), "new", "", "alb", rule(5), {}, ())
    going = {
        "holder": ResourceState("ListenerRule", "", desired=rule(5)),
        "service": ResourceState("Service", "", depends_on=["holder"]),
        "other": ResourceState("ListenerRule", "", desired=rule(6)),
    }

    takes, early = find_conflicts([new], lambda resource: resource.props, going)

    assert takes == {"new": {"holder"}}
    assert early == {"holder": {"service"}, "service": set()}


def group(name: str, id_: str) -> ResourceState:
    return ResourceState("TargetGroup", name, id=id_, desired={"Name": name})


@pytest.mark.parametrize(("wanted", "id_"), [("new", "2"), ("old", "1"), ("third", "2")])
def test_what_was_put_aside_and_is_wanted_again_takes_its_place_back(wanted: str, id_: str) -> None:
    state = StackState("prod", StackLocation("1", "aws", "us-east-1"))
    state.resources = {
        "tg": group("new", "2"),
        "tg~1": group("old", "1"),
        "rule": ResourceState("", "", depends_on=["tg"]),
    }
    resource = Resource(TargetGroup(), "tg", wanted, "alb", {"Name": wanted}, {}, ())

    recorded = recorded_state_of(state, resource, resource.props)

    planned = with_findings(state, StateFindings(renamed=recorded.renamed))
    assert recorded.resource_state is state.resources[recorded.key]
    assert recorded.resource_state.id == planned.resources["tg"].id == id_
    assert sorted(resource_state.id for resource_state in planned.resources.values() if resource_state.id) == ["1", "2"]
    assert planned.resources["rule"].depends_on == (["tg"] if id_ == "2" else ["tg~2"])


def test_a_prefix_keeps_its_priority_whatever_comes_and_goes() -> None:
    alone = assign_priorities([OTHER], {})
    both = assign_priorities([ONE, OTHER], alone)
    left = assign_priorities([OTHER], both)

    assert alone[OTHER] == both[OTHER] == left[OTHER] == preferred_priority(OTHER) == preferred_priority(ONE)
    assert both[ONE] != both[OTHER]


def forward(**weights: int) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


PLAIN = [{"Type": "forward", "TargetGroupArn": "new"}]


@pytest.mark.parametrize(
    ("seen", "join", "move", "drop"),
    [
        (forward(old=1), forward(new=0, old=1), forward(old=0, new=1), PLAIN),
        (forward(old=1, new=0), forward(old=1, new=0), forward(old=0, new=1), PLAIN),
        (forward(old=0, new=1), forward(old=0, new=1), forward(old=0, new=1), PLAIN),
        (forward(new=1), PLAIN, PLAIN, PLAIN),
        ([{"Type": "fixed-response"}], PLAIN, PLAIN, PLAIN),
    ],
)
def test_a_beat_that_has_passed_changes_nothing(
    seen: list[dict[str, Any]], join: object, move: object, drop: object
) -> None:
    plain = {**rule(5), "Conditions": []}
    wanted = {**plain, "Actions": PLAIN}

    def during(beat: CutoverPhase) -> object:
        told = ListenerRule().properties_at(beat, wanted, {**plain, "Actions": seen}, set())["Actions"]
        return _sorted(told)

    assert during(CutoverPhase.JOIN) == _sorted(join)
    assert during(CutoverPhase.SHIFT) == during(CutoverPhase.FOLLOW) == during(CutoverPhase.LEAVE) == _sorted(move)
    assert during(CutoverPhase.DROP) == drop


def _sorted(actions: Any) -> Any:
    for action in actions:
        if "ForwardConfig" in action:
            action["ForwardConfig"]["TargetGroups"].sort(key=lambda one: str(one["TargetGroupArn"]))
    return actions


def test_a_service_joins_only_what_stands() -> None:
    wanted = {"loadBalancers": [{"targetGroupArn": "new", "containerPort": 90}]}
    seen = {"loadBalancers": [{"targetGroupArn": "old", "containerPort": 80}]}
    service = RESOURCE_TYPES["Service"]

    both = service.properties_at(CutoverPhase.JOIN, wanted, seen, {"old", "new"})["loadBalancers"]

    assert [(one["targetGroupArn"], one["containerPort"]) for one in both] == [("new", 90), ("old", 90)]
    assert service.properties_at(CutoverPhase.JOIN, wanted, seen, {"new"}) == wanted
    # The weight has moved: it leaves when the measure has followed.
    assert service.properties_at(CutoverPhase.FOLLOW, wanted, {"loadBalancers": both}, {"new"})["loadBalancers"] == both
    assert service.properties_at(CutoverPhase.LEAVE, wanted, seen, {"old", "new"}) == wanted


def test_a_group_that_was_put_aside_takes_tasks_that_answer_another_path_until_they_are_its_own() -> None:
    resource_type, lenient = TargetGroup(), {"Matcher": {"HttpCode": "200-499"}}
    old, new = ({"Protocol": "HTTP", "HealthCheckPath": path} for path in ("/health", "/well"))
    wanted = {**old, "Matcher": {"HttpCode": "200"}}

    assert resource_type.deposed_properties(old, new) == lenient
    assert resource_type.deposed_properties(old, {**old, "Protocol": "HTTPS"}) == {}
    assert resource_type.properties_at(CutoverPhase.LEAVE, wanted, {**old, **lenient}, set()) == {**wanted, **lenient}
    assert resource_type.properties_at(CutoverPhase.DROP, wanted, {**old, **lenient}, set()) == wanted
    assert (
        resource_type.properties_at(CutoverPhase.JOIN, wanted, {**old, "Matcher": {"HttpCode": "204"}}, set()) == wanted
    )


def test_what_lies_in_another_place_than_the_wanted_one_is_put_aside() -> None:
    """Seen with a second hosted zone: the records in the first one were forgotten."""
    hands = Mock()
    resource = Resource(RESOURCE_TYPES["DnsName"], "name", "", "domain", {}, {}, ())
    known_state = ResourceState("DnsName", "", id="Z1|a", desired={"HostedZoneId": "Z1", "Name": "a"})

    depose_moved(hands, resource, None, {})
    depose_moved(hands, resource, known_state, {"HostedZoneId": "Z1", "Name": "a"})
    assert hands.state_manager.depose.call_args_list == []
    depose_moved(hands, resource, known_state, {"HostedZoneId": "Z2", "Name": "a"})
    hands.state_manager.depose.assert_called_once_with("name", "name~Z1|a")


def test_what_claims_another_place_is_put_aside_in_the_plan() -> None:
    """Seen with a record that was found in the wanted zone: ours in the other one stayed for ever."""
    resource = Resource(RESOURCE_TYPES["DnsName"], "name", "", "domain", {"HostedZoneId": "Z2", "Name": "a"}, {}, ())
    known_state = ResourceState("DnsName", "", id="Z1|a", desired={"HostedZoneId": "Z1", "Name": "a"})
    state = StackState("prod", StackLocation("1", "aws", "us-east-1"), resources={"name": known_state})

    recorded = recorded_state_of(state, resource, resource.props)
    assert recorded.resource_state is None
    planned = with_findings(state, StateFindings(renamed=recorded.renamed))
    assert planned.resources == {"name~Z1|a": known_state}
    back = recorded_state_of(planned, resource, {**resource.props, "HostedZoneId": "Z1"})
    assert back.resource_state == known_state
    assert with_findings(planned, StateFindings(renamed=back.renamed)).resources == {"name": known_state}


def test_an_address_that_stays_is_not_asked_to_confirm_again() -> None:
    """A node of its own for each: the one that goes does not move the others."""

    def addresses(*emails: str) -> dict[str, str]:
        settings = load_settings(None, ("alarms.enabled=true", f"alarms.emails={json.dumps(emails)}"), {})
        stack = build(settings, "prod", "us-east-1", offline_lookups(3, "15"))
        return {
            resource.props["Endpoint"]: resource.logical_id
            for resource in stack
            if str(resource.type) == "Subscription"
        }

    both = addresses("ada@example.org", "bob@example.org", "bob@example.org")

    assert len(set(both.values())) == 2
    assert addresses("bob@example.org")["bob@example.org"] == both["bob@example.org"]


def test_a_stack_without_a_claim_in_the_way_lets_nothing_go_first() -> None:
    assert find_conflicts(Stack("a", "us-east-1"), lambda resource: resource.props, {"x": group("x", "1")}) == ({}, {})
