"""Two machines without shared state, at AWS's own speed: never two of anything, and both get out again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.run_marker.marker import MARK_SECONDS
from provisioner.errors import NoSuchStack
from state.errors import LockHeld
from tests.faults.case import APPLY, KILLED, TEARDOWN, InjectedFault
from tests.faults.judge import compare, held
from tests.faults.machines import at_once, machine
from tests.faults.on_the_way import ENDPOINT
from tests.faults.world import World
from tests.support import account_inventory
from tests.support.shared_state import BUCKET

STATE = f"s3://{BUCKET}/state"
# Of these AWS makes as many as it is asked for.
ONCE = (
    *("ec2:CreateVpc", "ec2:CreateNatGateway", "ec2:AllocateAddress", "ec2:CreateInternetGateway"),
    *("elbv2:CreateLoadBalancer", "cloudfront:CreateDistributionWithTags", "rds:CreateDBCluster"),
)
GONE = (0, NoSuchStack.exit_code)


class Shared(World):
    """A world in which a team has a bucket."""

    def fresh(self) -> None:
        """A new account with a bucket in it, and a new home."""
        super().fresh()
        account_inventory.client(ENDPOINT, "s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def world(served: LocalAws, tmp_path: Path) -> Iterator[World]:
    """A user before an empty AWS that takes its time."""
    with Shared(served.emulator, tmp_path / "home").entered() as entered:
        yield entered
    served.reset()


def made(world: World) -> dict[str, int]:
    """How many of what AWS makes again each time were made so far."""
    effects = world.effects()
    return {one: effects[one] for one in ONCE}


def ends_well(world: World) -> None:
    """A teardown from here leaves nothing but what was there before."""
    assert world.run(TEARDOWN) in GONE, world.said
    left = held(ENDPOINT)
    world.fresh()
    assert compare(left, held(ENDPOINT)).orphans == []


def slow(offsets: list[float]) -> list[object]:
    return [pytest.param(one, marks=pytest.mark.slow) for one in offsets]


@pytest.mark.parametrize("state", ["", STATE], ids=["folder", "bucket"])
@pytest.mark.parametrize("offset", [0.0, *slow([0.1, 0.4, 0.9, 1.3, 1.8, 2.4, 3.1, 4.3, 5.9, 7.7, 10.0])])
def test_two_first_applies_make_nothing_twice(world: World, tmp_path: Path, offset: float, state: str) -> None:
    other = machine(world, tmp_path / "other", state)

    codes = at_once((world, APPLY), (other, APPLY), offset, seed=int(offset * 10))

    assert made(world) == dict.fromkeys(ONCE, 1)
    assert sorted(codes) == [0, LockHeld.exit_code], (world.said, other.said)
    winner, loser = (world, other) if codes[0] == 0 else (other, world)
    for word in ("arn:aws:", "since 20", "--take-over", "a state of its own"):
        assert word in loser.said
    assert winner._noise() == []
    ends_well(winner)


def half_made(world: World) -> None:
    """A first apply dies with its network and its database made, and counts as dead by now."""
    world.wire.arm((InjectedFault("kill_after", "rds:CreateDBCluster", 1),))
    assert world.run(APPLY) == KILLED
    world.revive()
    world.wire.arm(())
    world.time.advance(MARK_SECONDS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TEARDOWN, APPLY),
        (APPLY, TEARDOWN),
        pytest.param(TEARDOWN, TEARDOWN, marks=pytest.mark.slow),
        pytest.param(APPLY, APPLY, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("offset", [0.0, *slow([0.3, 1.1, 2.7, 5.3, 10.0])])
def test_of_two_that_go_on_with_a_dead_run_one_does(
    world: World, tmp_path: Path, first: str, second: str, offset: float
) -> None:
    half_made(world)
    other = machine(world, tmp_path / "other")

    codes = at_once((world, first), (other, second), offset, seed=int(offset * 10))

    assert sorted(codes) == [0, LockHeld.exit_code], (world.said, other.said)
    winner, verb = (world, first) if codes[0] == 0 else (other, second)
    assert made(world) == dict.fromkeys(ONCE, 1) if verb == APPLY else max(made(world).values()) == 1
    if verb == APPLY:
        assert winner._noise() == []
    ends_well(winner)
