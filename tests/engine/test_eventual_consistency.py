"""What AWS hides for a moment is not gone, and what is gone is not waited for."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.engine.calls.clients import Clients
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS, ManagedResource, read_recorded
from provisioner.engine.planning.diff import differences
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.ec2.vpc_endpoints import VpcEndpoint
from provisioner.resources.elbv2.listeners import Listener
from state.stack_state import ResourceState
from tests.engine.test_waiter import Hurried
from tests.support.fake_resources import OURS, Thing, entry, seen
from tests.support.live_stack import SUFFIX

LATE = 1_000_000.0
# As much of an AWS as a look asks for.
THERE = {
    "is_emulated": lambda *_: False,
    "speed": 1.0,
    "consistency_window": lambda usual: usual,
    "endpoint": "",
    "region": "us-east-1",
    "client": lambda *_: None,
    "is_faithful": True,
}


def made(at: float) -> ResourceState:
    """What the ledger says of a thing that was made then, red."""
    return dataclasses.replace(entry(Colour="red", Shape="round"), created_at=at)


class Shy(Thing):
    """Hides from the first reads."""

    def __init__(self, misses: int) -> None:
        self.misses = misses

    def read(self, *_: Any) -> JsonObject | None:
        self.misses -= 1
        return seen() if self.misses < 0 else None


class Wall(Hurried):
    """A clock whose wall-clock time moves with it."""

    def wall(self) -> float:
        return LATE + self.time


@pytest.mark.parametrize(
    ("misses", "age", "is_found", "waited"),
    [
        (0, 0.0, True, 0.0),
        (3, 0.0, True, 1.0),
        (3, CONSISTENCY_SECONDS - 5, True, 1.0),
        (1, CONSISTENCY_SECONDS + 5, True, 0.0),
        (3, CONSISTENCY_SECONDS + 5, False, 0.0),
        (10**6, 0.0, False, CONSISTENCY_SECONDS + 5),
        (10**6, -1000.0, False, CONSISTENCY_SECONDS + 5),
    ],
    ids=[
        "shown",
        "hidden, new",
        "hidden, young",
        "missed once, old",
        "hidden, old",
        "gone, new",
        "the clock went backwards",
    ],
)
def test_a_thing_is_looked_for_as_long_as_aws_may_hide_it(
    misses: int, age: float, is_found: bool, waited: float
) -> None:
    clock = Wall()
    there = SimpleNamespace(**THERE)
    clients = Clients(cast("AwsConnection", there), clock).with_shared_reads()
    managed = ManagedResource(Shy(misses), ResourceSpec("thing", "thing", SUFFIX, id="t-1"))

    found = read_recorded(clients, managed, made(clock.wall() - age))

    assert bool(found) is is_found
    assert sum(clock.sleeps) <= waited


def test_a_thing_that_never_had_an_id_is_not_waited_for() -> None:
    clock = Wall()
    there = SimpleNamespace(**THERE)
    managed = ManagedResource(Shy(9), ResourceSpec("thing", "thing", SUFFIX))

    assert (
        read_recorded(Clients(cast("AwsConnection", there), clock).with_shared_reads(), managed, made(clock.wall()))
        is None
    )
    assert clock.sleeps == []


class Terse(Thing):
    """Says its colour alone, as an emulator may that forgets the rest, or nothing at all."""

    def __init__(self, said: JsonObject) -> None:
        self.said = said

    def read(self, *_: Any) -> JsonObject | None:
        return {"Id": "t-1", **self.said}


@pytest.mark.parametrize(
    ("is_faithful", "said", "told"),
    [
        (False, {}, {"Colour": "red", "Shape": "round"}),
        (False, {"Colour": "blue"}, {"Colour": "blue", "Shape": "round"}),
        (True, {"Colour": "blue"}, {"Colour": "blue"}),
    ],
    ids=["an emulator forgets", "an emulator tells of a change", "AWS leaves out what is not"],
)
def test_what_an_emulator_has_no_word_of_is_as_it_was_confirmed(
    is_faithful: bool, said: JsonObject, told: JsonObject
) -> None:
    there = cast("AwsConnection", SimpleNamespace(**{**THERE, "is_faithful": is_faithful}))
    clients = Clients(there, Wall()).with_shared_reads()
    managed = ManagedResource(Terse(said), ResourceSpec("thing", "thing", SUFFIX, tags=OURS, id="t-1"))

    found = read_recorded(clients, managed, made(LATE)) or {}

    assert {key: found[key] for key in found if key in ("Colour", "Shape")} == told
    assert found.get("Tags") == (None if is_faithful else OURS)


LISTENER: JsonObject = {
    "LoadBalancerArn": "b-1",
    "Port": 80,
    "Protocol": "HTTP",
    "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}],
}
ENDPOINT: JsonObject = {
    "VpcId": "v-1",
    "ServiceName": "com.amazonaws.us-east-1.s3",
    "VpcEndpointType": "Gateway",
    "RouteTableIds": ["t-1"],
}


TLS = {"SslPolicy": "ELBSecurityPolicy-2016-08"}
JWT = {"DefaultActions": [{**LISTENER["DefaultActions"][0], "JwtValidationConfig": {"Issuer": "i"}}]}


@pytest.mark.parametrize("is_faithful", [True, False])
@pytest.mark.parametrize(
    ("kind", "asked", "more"),
    [
        (Listener, LISTENER, TLS),
        (Listener, LISTENER, JWT),
        (VpcEndpoint, ENDPOINT, {"PrivateDnsEnabled": True}),
    ],
    ids=["a TLS policy", "within an item", "private DNS"],
)
def test_what_an_emulator_sets_where_nothing_was_asked_is_no_difference(
    monkeypatch: pytest.MonkeyPatch, kind: type[ResourceType], asked: JsonObject, more: JsonObject, *, is_faithful: bool
) -> None:
    """As moto 5.2.5 gives a listener without TLS a TLS policy, and a gateway endpoint private DNS."""
    monkeypatch.setattr(kind, "read", lambda *_: {str(kind.id_paths): "x-1", **asked, **more, "Tags": OURS})
    there = cast("AwsConnection", SimpleNamespace(**{**THERE, "is_faithful": is_faithful}))
    clients = Clients(there, Wall()).with_shared_reads()

    def differing(wanted: JsonObject, recorded: JsonObject) -> set[str]:
        managed = ManagedResource(kind(), ResourceSpec("thing", "thing", SUFFIX, wanted, OURS, "x-1"))
        found = (
            read_recorded(clients, managed, ResourceState(str(kind()), "thing", id="x-1", recorded=dict(recorded)))
            or {}
        )
        return {one.top for one in differences(kind(), wanted, found, recorded)}

    assert differing(asked, asked) == (set(more) if is_faithful else set())
    # What is asked for from now on, or was until now, is compared with what the emulator tells.
    assert differing({**asked, **more}, asked) == set()
    assert differing(asked, {**asked, **more}) == set(more)
