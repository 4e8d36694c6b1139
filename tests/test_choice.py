"""A part of the stack: what was asked for, what it pulls along, and what stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.engine.choice import Choice, narrowed
from provisioner.engine.decide import delete
from provisioner.engine.plan import Plan
from provisioner.errors import UsageError
from state.stack_state import ResourceState, StackLocation, StackState
from tests.harness import Desk
from tests.test_prices import declared
from tests.things import Thing

NOTHING = StackState("a", StackLocation("1", "aws", "us-east-1"))


def names(made: Plan, state: StackState = NOTHING, *targets: str, without: tuple[str, ...] = ()) -> set[str]:
    """What is left of a plan."""
    part = narrowed(made, state, Choice(targets, without))
    assert part.changes.keys() == part.stack.resources.keys() | {
        name for name, change in part.changes.items() if change.verb == "delete"
    }
    return set(part.changes)


def test_nothing_said_is_everything() -> None:
    made = declared()

    assert narrowed(made, NOTHING, Choice()) is made


def test_a_target_pulls_what_it_needs_and_no_more() -> None:
    made = declared()

    assert names(made, NOTHING, "nat-1") == {"nat-1", "public-1", "eip-1", "vpc", "igw", "igw-vpc"}
    assert names(made, NOTHING, "vpc/nat-1") == names(made, NOTHING, "nat-1")
    assert {made.changes[name].piece for name in names(made, NOTHING, "dynamodb")} == {"dynamodb"}


def test_an_exclusion_takes_what_needs_it() -> None:
    made = declared()

    left = names(made, NOTHING, without=("aurora",))

    assert {"vpc", "alb", "edge"} <= left
    assert left.isdisjoint({"aurora", "writer", "task", "service", "scaling"})


def test_both_together() -> None:
    made = declared()

    assert "edge" in names(made, NOTHING, "cloudfront", "ecs")
    assert "edge" not in names(made, NOTHING, "cloudfront", "ecs", without=("alb",))


def test_what_follows_a_replaced_one_comes_along() -> None:
    made = declared()
    made.changes = {name: replace(change, verb="keep") for name, change in made.changes.items()}
    made.changes["task"] = replace(made.changes["task"], verb="replace")
    made.changes["service"] = replace(made.changes["service"], verb="update")

    assert "service" in names(made, NOTHING, "task")
    assert "task" not in names(made, NOTHING, without=("service",))


def test_who_is_to_lead_to_a_new_one_takes_along_those_who_serve_there() -> None:
    made = declared(api={"services": {"second": {"prefixes": ["/api/v1/deep/*"]}}})
    rule, service = "rule-api-v1-deep", "service.second"
    assert service not in names(made, NOTHING, rule)

    made.changes = {
        name: change if name == rule or name.endswith(".second") else replace(change, verb="keep")
        for name, change in made.changes.items()
    }
    forward = [{"Type": "forward", "TargetGroupArn": "arn:tg"}]
    made.docs |= {"tg": {"id": "arn:tg"}, "rule-api-v1": {"id": "r", "Actions": forward, "Conditions": []}}

    assert {rule, "tg.second", "task.second", service} <= names(made, NOTHING, rule)
    assert rule not in names(made, NOTHING, without=(service,))


def test_what_does_not_need_one_that_goes_any_more_lets_go_of_it_first() -> None:
    made = declared()
    resource_states = {
        "eip-2": ResourceState("ElasticIp", "x", "vpc"),
        "nat-2": ResourceState("NatGateway", "y", "vpc", depends_on=["eip-2"]),
        "follows-private-2": ResourceState("RouteTableAssociation", "", "vpc", depends_on=["nat-2", "private-2"]),
    }
    state = StackState("a", NOTHING.location, resources=resource_states)
    made.changes |= {name: delete(name, resource_states[name], Thing()) for name in ("eip-2", "nat-2")}

    assert {"eip-2", "nat-2", "follows-private-2"} <= names(made, state, "eip-2")
    assert names(made, state, without=("follows-private-2",)).isdisjoint(resource_states)


def test_of_two_that_go_the_needed_one_takes_the_other_along() -> None:
    made = declared()
    resource_states = {
        "old": ResourceState("Vpc", "x", "vpc"),
        "on-it": ResourceState("Subnet", "y", "vpc", depends_on=["old", "vpc"]),
    }
    state = StackState("a", NOTHING.location, resources=resource_states)
    made.changes |= {name: delete(name, resource_state, Thing()) for name, resource_state in resource_states.items()}

    assert names(made, state, "old") == {"old", "on-it"}
    assert names(made, state, "on-it") == {"on-it"}
    assert "old" not in names(made, state, without=("on-it",))


def test_what_there_is_not_is_refused_with_what_is_near() -> None:
    with pytest.raises(UsageError) as refused:
        narrowed(declared(), NOTHING, Choice(("dynamo",)))

    assert refused.value.hint == "Did you mean `dynamodb`?"


@pytest.mark.slow
def test_parts_are_applied_one_by_one_and_the_rest_stays(desk: Desk, tmp_path: Path) -> None:
    path = str(tmp_path / "plan")
    desk.well("plan", "--suffix", "a", "--target", "dynamodb", "--out", path)
    desk.well("apply", path)
    assert desk.known("a")["entries"].keys() == {"sessions", "sessions-ttl", "sessions-pitr"}
    assert desk.known("a")["outputs"].keys() == {"dynamodb_table_name"}
    assert desk.plan("a", "--target", "dynamodb").splitlines()[-1] == "No changes."

    desk.well("apply", "--yes", "--suffix", "a", "--exclude", "cloudfront", "--set", "network.nat=per_zone")
    told = json.loads(desk.plan("a", "--set", "network.nat=per_zone", "--json"))
    assert [change["node"] for change in told["changes"]] == ["edge"]
    assert {"vpc_id", "dynamodb_table_name"} <= desk.known("a")["outputs"].keys()

    shown = desk.plan("a", "--target", "logs", "--set", "logs.days=60")
    assert shown.startswith("Only logs (")
    mark = desk.mark()
    desk.well("apply", "--yes", "--suffix", "a", "--target", "logs", "--set", "logs.days=60")
    assert set(desk.acts(mark)) == {"logs:PutRetentionPolicy"}
    assert {"nat-2", "nat-3"} <= desk.known("a")["entries"].keys()
    assert "vpc_id" in desk.known("a")["outputs"]

    # What needs them is known, though nothing else of it has changed.
    assert "nat-2" in desk.known("a")["entries"]["service"]["needs"]
    part = ("--suffix", "a", "--exclude", "follows-private-2", "--set", "logs.days=60")
    desk.well("apply", "--yes", *part)
    assert desk.well("plan", *part).out.splitlines()[-1] == "No changes."
    assert {"nat-2", "eip-2", "routes-private-2"} <= desk.known("a")["entries"].keys()

    desk.apply("a", "--set", "logs.days=60")
    assert "nat-2" not in desk.known("a")["entries"]
