"""Two machines without shared state at the speed of AWS: nothing is created twice, and both can go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.run_marker.marker import MARK_SECONDS
from provisioner.errors import NoSuchStack
from state.errors import LockHeld
from tests.faults.account_difference import compare, inventory_of
from tests.faults.fault_case import APPLY, KILLED, TEARDOWN, InjectedFault
from tests.faults.network_faults import ENDPOINT
from tests.faults.two_machines import other_machine, run_both
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
    """A world with a bucket for the state of a team."""

    def reset(self) -> None:
        """Begin with a new account that has a bucket, and a new home."""
        super().reset()
        account_inventory.client(ENDPOINT, "s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def world(served: LocalAws, tmp_path: Path) -> Iterator[World]:
    """A user with an empty account at the speed of AWS."""
    with Shared(served.emulator, tmp_path / "home").active() as entered:
        yield entered
    served.reset()


def made(world: World) -> dict[str, int]:
    """Return how many resources that AWS creates anew at each call were created so far."""
    effects = world.mutations()
    return {one: effects[one] for one in ONCE}


def ends_well(world: World) -> None:
    """Assert that a teardown leaves nothing but what was there before."""
    assert world.run(TEARDOWN) in GONE, world.error_text
    left = inventory_of(ENDPOINT)
    world.reset()
    assert compare(left, inventory_of(ENDPOINT)).orphans == []


def slow(offsets: list[float]) -> list[object]:
    return [pytest.param(one, marks=pytest.mark.slow) for one in offsets]


@pytest.mark.parametrize("state", ["", STATE], ids=["folder", "bucket"])
@pytest.mark.parametrize("offset", [0.0, *slow([0.1, 0.4, 0.9, 1.3, 1.8, 2.4, 3.1, 4.3, 5.9, 7.7, 10.0])])
def test_two_first_applies_make_nothing_twice(world: World, tmp_path: Path, offset: float, state: str) -> None:
    other = other_machine(world, tmp_path / "other", state)

    codes = run_both((world, APPLY), (other, APPLY), offset, seed=int(offset * 10))

    assert made(world) == dict.fromkeys(ONCE, 1)
    assert sorted(codes) == [0, LockHeld.exit_code], (world.error_text, other.error_text)
    winner, loser = (world, other) if codes[0] == 0 else (other, world)
    for word in ("arn:aws:", "since 20", "--take-over", "a state of its own"):
        assert word in loser.error_text
    assert winner.plan_changes() == []
    ends_well(winner)


def half_made(world: World) -> None:
    """A first apply was killed with network and database created; its run mark has expired."""
    world.wire.arm((InjectedFault("kill_after", "rds:CreateDBCluster", 1),))
    assert world.run(APPLY) == KILLED
    world.end_faults()
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
    other = other_machine(world, tmp_path / "other")

    codes = run_both((world, first), (other, second), offset, seed=int(offset * 10))

    assert sorted(codes) == [0, LockHeld.exit_code], (world.error_text, other.error_text)
    winner, verb = (world, first) if codes[0] == 0 else (other, second)
    assert made(world) == dict.fromkeys(ONCE, 1) if verb == APPLY else max(made(world).values()) == 1
    if verb == APPLY:
        assert winner.plan_changes() == []
    ends_well(winner)
