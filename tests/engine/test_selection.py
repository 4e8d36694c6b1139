"""A part of the stack: what was asked for, what it pulls along, and what stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.engine.planning.change import delete_change
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection, select
from provisioner.errors import UsageError
from state.stack_state import ResourceState, StackLocation, StackState
from tests.prices.test_prices import declared
from tests.support.fake_resources import Thing
from tests.support.user import User

NOTHING = StackState("a", StackLocation("1", "aws", "us-east-1"))


def names(plan: Plan, state: StackState = NOTHING, *targets: str, without: tuple[str, ...] = ()) -> set[str]:
    """What is left of a plan."""
    selected = select(replace(plan, state=state), Selection(targets, without))
    assert selected.changes.keys() == selected.stack.resources.keys() | {
        name for name, change in selected.changes.items() if change.action == "delete"
    }
    return set(selected.changes)


def test_nothing_said_is_everything() -> None:
    plan = declared()

    assert select(plan, Selection()) is plan


def test_a_target_pulls_what_it_needs_and_no_more() -> None:
    plan = declared()

    assert names(plan, NOTHING, "nat-1") == {"nat-1", "public-1", "eip-1", "vpc", "igw", "igw-vpc"}
    assert names(plan, NOTHING, "vpc/nat-1") == names(plan, NOTHING, "nat-1")
    assert {plan.changes[name].step for name in names(plan, NOTHING, "dynamodb")} == {"dynamodb"}


def test_an_exclusion_takes_what_needs_it() -> None:
    plan = declared()

    left = names(plan, NOTHING, without=("aurora",))

    assert {"vpc", "alb", "edge"} <= left
    assert left.isdisjoint({"aurora", "writer", "task", "service", "scaling"})


def test_both_together() -> None:
    plan = declared()

    assert "edge" in names(plan, NOTHING, "cloudfront", "ecs")
    assert "edge" not in names(plan, NOTHING, "cloudfront", "ecs", without=("alb",))


def test_what_follows_a_replaced_one_comes_along() -> None:
    plan = declared()
    plan.changes = {name: replace(change, action="keep") for name, change in plan.changes.items()}
    plan.changes["task"] = replace(plan.changes["task"], action="replace")
    plan.changes["service"] = replace(plan.changes["service"], action="update")

    assert "service" in names(plan, NOTHING, "task")
    assert "task" not in names(plan, NOTHING, without=("service",))


def test_who_is_to_lead_to_a_new_one_takes_along_those_who_serve_there() -> None:
    plan = declared(api={"services": {"second": {"prefixes": ["/api/v1/deep/*"]}}})
    rule, service = "rule-api-v1-deep", "service.second"
    assert service not in names(plan, NOTHING, rule)

    plan.changes = {
        name: change if name == rule or name.endswith(".second") else replace(change, action="keep")
        for name, change in plan.changes.items()
    }
    forward = [{"Type": "forward", "TargetGroupArn": "arn:tg"}]
    plan.actual |= {"tg": {"id": "arn:tg"}, "rule-api-v1": {"id": "r", "Actions": forward, "Conditions": []}}

    assert {rule, "tg.second", "task.second", service} <= names(plan, NOTHING, rule)
    assert rule not in names(plan, NOTHING, without=(service,))


def test_what_does_not_need_one_that_goes_any_more_lets_go_of_it_first() -> None:
    plan = declared()
    resource_states = {
        "eip-2": ResourceState("ElasticIp", "x", "vpc"),
        "nat-2": ResourceState("NatGateway", "y", "vpc", depends_on=["eip-2"]),
        "follows-private-2": ResourceState("RouteTableAssociation", "", "vpc", depends_on=["nat-2", "private-2"]),
    }
    state = StackState("a", NOTHING.location, resources=resource_states)
    plan.changes |= {name: delete_change(name, resource_states[name], Thing()) for name in ("eip-2", "nat-2")}

    assert {"eip-2", "nat-2", "follows-private-2"} <= names(plan, state, "eip-2")
    assert names(plan, state, without=("follows-private-2",)).isdisjoint(resource_states)


def test_of_two_that_go_the_needed_one_takes_the_other_along() -> None:
    plan = declared()
    resource_states = {
        "old": ResourceState("Vpc", "x", "vpc"),
        "on-it": ResourceState("Subnet", "y", "vpc", depends_on=["old", "vpc"]),
    }
    state = StackState("a", NOTHING.location, resources=resource_states)
    plan.changes |= {
        name: delete_change(name, resource_state, Thing()) for name, resource_state in resource_states.items()
    }

    assert names(plan, state, "old") == {"old", "on-it"}
    assert names(plan, state, "on-it") == {"on-it"}
    assert "old" not in names(plan, state, without=("on-it",))


def test_what_there_is_not_is_refused_with_what_is_near() -> None:
    with pytest.raises(UsageError) as refused:
        select(declared(), Selection(("dynamo",)))

    assert refused.value.hint == "Did you mean `dynamodb`?"


@pytest.mark.slow
def test_parts_are_applied_one_by_one_and_the_rest_stays(user: User, tmp_path: Path) -> None:
    path = str(tmp_path / "plan")
    user.well("plan", "--suffix", "a", "--target", "dynamodb", "--out", path)
    user.well("apply", path)
    assert user.known("a")["entries"].keys() == {"sessions", "sessions-ttl", "sessions-pitr"}
    assert user.known("a")["outputs"].keys() == {"dynamodb_table_name"}
    assert user.plan("a", "--target", "dynamodb").splitlines()[-1] == "No changes."

    user.well("apply", "--yes", "--suffix", "a", "--exclude", "cloudfront", "--set", "network.nat=per_zone")
    told = json.loads(user.plan("a", "--set", "network.nat=per_zone", "--json"))
    assert [change["node"] for change in told["changes"]] == ["edge"]
    assert {"vpc_id", "dynamodb_table_name"} <= user.known("a")["outputs"].keys()

    shown = user.plan("a", "--target", "logs", "--set", "logs.days=60")
    assert shown.startswith("Only logs (")
    mark = user.mark()
    user.well("apply", "--yes", "--suffix", "a", "--target", "logs", "--set", "logs.days=60")
    assert set(user.acts(mark)) == {"logs:PutRetentionPolicy"}
    assert {"nat-2", "nat-3"} <= user.known("a")["entries"].keys()
    assert "vpc_id" in user.known("a")["outputs"]

    # What needs them is known, though nothing else of it has changed.
    assert "nat-2" in user.known("a")["entries"]["service"]["needs"]
    part = ("--suffix", "a", "--exclude", "follows-private-2", "--set", "logs.days=60")
    user.well("apply", "--yes", *part)
    assert user.well("plan", *part).out.splitlines()[-1] == "No changes."
    assert {"nat-2", "eip-2", "routes-private-2"} <= user.known("a")["entries"].keys()

    user.apply("a", "--set", "logs.days=60")
    assert "nat-2" not in user.known("a")["entries"]
