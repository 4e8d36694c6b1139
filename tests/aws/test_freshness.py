"""A changing call is sent only while what allowed it holds: a run may sleep between the two."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.emulator.local import running_emulator
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.errors import WaitTimeout
from state.errors import LockHeld
from tests.support.user import User


class Jumping(Clock):
    """A clock that goes on by `slept` seconds, on one of its two faces, whenever a request is signed."""

    def __init__(self, face: str, *slept: float) -> None:
        super().__init__()
        self.face, self.slept = face, list(slept)
        self.more = {"now": 0.0, "wall": 0.0}

    def now(self) -> float:
        return super().now() + self.more["now"]

    def wall(self) -> float:
        return super().wall() + self.more["wall"]

    def jump(self, **_: Any) -> None:
        self.more[self.face] += self.slept.pop(0) if self.slept else 0.0


def client_of(user: User, clock: Jumping, guard: Any) -> Any:
    connection = AwsConnection("us-east-1", running_emulator(user.home / "embedded" / "server"))
    connection.client("ec2").meta.events.register("before-sign.ec2.*", clock.jump)
    return Clients(connection, clock, guard).client("ec2")


@pytest.mark.parametrize("face", ["now", "wall"])
@pytest.mark.parametrize(("slept", "asked"), [((), 1), ((1.0,), 1), ((600.0,), 2), ((600.0, 6.0), 3)])
def test_the_guard_is_asked_again_after_a_sleep_and_the_call_is_sent_once(
    user: User, face: str, slept: tuple[float, ...], asked: int
) -> None:
    guards: list[str] = []
    ec2 = client_of(user, Jumping(face, *slept), lambda: guards.append("asked"))
    before = user.mark()

    made = ec2.create_vpc(CidrBlock="10.9.0.0/16")

    assert made["Vpc"]["CidrBlock"] == "10.9.0.0/16"
    assert len(guards) == asked
    assert user.tries(before) == ["ec2:CreateVpc"]


def test_a_call_that_can_never_be_sent_in_time_is_told_and_never_sent(user: User) -> None:
    ec2 = client_of(user, Jumping("now", *[600.0] * 9), lambda: None)
    before = user.mark()

    with pytest.raises(WaitTimeout, match="was not sent: 5 times"):
        ec2.create_vpc(CidrBlock="10.9.0.0/16")

    assert user.tries(before) == []


def test_credentials_that_take_six_seconds_each_time_are_waited_for(user: User) -> None:
    ec2 = client_of(user, Jumping("now", *[6.0] * 9), lambda: None)

    assert ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]


def test_who_is_taken_over_in_a_sleep_sends_nothing(user: User) -> None:
    clock = Jumping("wall", 600.0)

    def guard() -> None:
        if not clock.slept:
            raise LockHeld("another holds it")

    ec2 = client_of(user, clock, guard)
    before = user.mark()

    with pytest.raises(LockHeld):
        ec2.create_vpc(CidrBlock="10.9.0.0/16")

    assert user.tries(before) == []
    assert ec2.describe_vpcs()["Vpcs"]  # a read needs no leave
