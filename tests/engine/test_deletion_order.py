"""Which resources of a teardown need a delete call, and what goes before what."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from provisioner.engine.execution.deletion_order import DeletionOrder, deletion_order
from provisioner.resources import RESOURCE_TYPES
from state.stack_state import ResourceState

SERVICES = ("s1", "s2", "s3", "s4")


def recorded(type_name: str, id_: str, *depends_on: str, **desired: str) -> ResourceState:
    """What the state holds of a resource."""
    return ResourceState(
        type_name=type_name, aws_name="", step="", id=id_, desired=dict(desired), depends_on=list(depends_on)
    )


def order(states: dict[str, ResourceState], *, whole_stack: bool = True) -> DeletionOrder:
    """The order in which all of them are deleted."""
    return deletion_order(states, set(states), RESOURCE_TYPES, whole_stack=whole_stack)


def rule(direction: str, name: str, group: str, peer: str = "") -> ResourceState:
    """A rule of a group, for or from another group."""
    peers = {"ReferencedGroupId": f"sg-{peer}"} if peer else {}
    needs = (group, peer) if peer else (group,)
    return recorded(f"{direction}Rule", f"sgr-{name}", *needs, GroupId=f"sg-{group}", **peers)


def group(name: str) -> ResourceState:
    """A security group."""
    return recorded("SecurityGroup", f"sg-{name}", "vpc", VpcId="vpc-1")


@pytest.fixture
def groups() -> dict[str, ResourceState]:
    """A balancer and the tasks of four services, whose groups name each other, and a database that they call."""
    states = {name: group(name) for name in ("alb", "db", *SERVICES)} | {"vpc": recorded("Vpc", "vpc-1")}
    for service in SERVICES:
        states |= {
            f"{service}-in": rule("Ingress", f"{service}-in", service, "alb"),
            f"{service}-out": rule("Egress", f"{service}-out", service),
            f"alb-{service}": rule("Egress", f"alb-{service}", "alb", service),
            f"{service}-db": rule("Egress", f"{service}-db", service, "db"),
            f"db-{service}": rule("Ingress", f"db-{service}", "db", service),
        }
    return states | {"alb-http": rule("Ingress", "alb-http", "alb"), "alb-https": rule("Ingress", "alb-https", "alb")}


def test_rules_go_with_their_groups_and_the_rest_in_one_list_a_group(groups: dict[str, ResourceState]) -> None:
    found = order(groups)

    assert all(found.owner_of(part) == groups[part].depends_on[0] for part in found.deleted_with)
    # Without these two calls, groups would wait for each other.
    listed = [sorted([first, *others]) for first, others in found.lists.items()]
    assert sorted(listed) == [[f"alb-{service}" for service in SERVICES], [f"db-{service}" for service in SERVICES]]
    rules = {name for name, state in groups.items() if state.type_name.endswith("Rule")}
    assert rules & found.depends_on.keys() == found.lists.keys()


def test_the_order_has_no_circle_and_nothing_goes_before_what_names_it(groups: dict[str, ResourceState]) -> None:
    found = order(groups)
    first_in = {other: first for first, others in found.lists.items() for other in others}
    position = {name: at for at, name in enumerate(TopologicalSorter(found.depends_on).static_order())}

    for name, state in groups.items():
        deleted_by = first_in.get(found.owner_of(name), found.owner_of(name))
        for needed in state.depends_on:
            # A resource that needs another one goes before it, or both go by one call.
            needed_by = first_in.get(found.owner_of(needed), found.owner_of(needed))
            assert deleted_by == needed_by or position[deleted_by] > position[needed_by], (name, needed)


def test_a_setting_with_the_id_of_its_group_deletes_no_rule() -> None:
    states = {
        "vpc": recorded("Vpc", "vpc-1"),
        "sg": group("sg"),
        "bare": recorded("NoDefaultEgress", "sg-sg", "sg", GroupId="sg-sg"),
        "rule": recorded("EgressRule", "sgr-1", "sg", "bare", GroupId="sg-sg"),
    }

    assert order(states).deleted_with == {"rule": "sg"}


def test_a_rule_that_alone_is_no_longer_declared_is_deleted_by_a_call() -> None:
    states = {"vpc": recorded("Vpc", "vpc-1"), "sg": group("sg"), "rule": rule("Egress", "1", "sg")}

    assert order(states, whole_stack=False).deleted_with == {}
    assert deletion_order(states, {"rule"}, RESOURCE_TYPES, whole_stack=True).deleted_with == {}


def test_a_listener_goes_with_its_balancer_and_its_rules_with_both() -> None:
    states = {
        "alb": recorded("LoadBalancer", "arn:alb"),
        "tg": recorded("TargetGroup", "arn:tg"),
        "listener": recorded("Listener", "arn:listener", "alb", LoadBalancerArn="arn:alb"),
        "rule": recorded("ListenerRule", "arn:rule", "listener", "tg", ListenerArn="arn:listener", Actions="arn:tg"),
    }

    found = order(states)

    assert sorted(found.parts_of("alb")) == ["listener", "rule"]
    assert "tg" in found.depends_on["alb"]  # AWS keeps a target group as long as a rule names it
