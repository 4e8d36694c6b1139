"""What AWS hides for a moment is not gone, and what is gone is not waited for."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from provisioner.aws import Aws
from provisioner.embedded.manners import lag
from provisioner.engine.clients import Clients
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.target import HIDES, Target, look
from tests.hands import TASKS_LOG
from tests.standing import ACCOUNT, SUFFIX, Standing
from tests.test_waits import Hurried
from tests.things import Thing, seen

LATE, LONG_AGO = 1_000_000.0, 1.0


class Shy(Thing):
    """Hides from the first reads."""

    def __init__(self, misses: int) -> None:
        self.misses = misses

    def read(self, *_: Any) -> Doc | None:
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
        (3, HIDES - 5, True, 1.0),
        (3, HIDES + 5, False, 0.0),
        (10**6, 0.0, False, HIDES + 5),
        (10**6, -1000.0, False, HIDES + 5),
    ],
    ids=["shown", "hidden, new", "hidden, young", "hidden, old", "gone, new", "the clock went backwards"],
)
def test_a_thing_is_looked_for_as_long_as_aws_may_hide_it(
    misses: int, age: float, is_found: bool, waited: float
) -> None:
    clock = Wall()
    there = SimpleNamespace(pace=1.0, hides_for=0.0, endpoint="", region="us-east-1", client=lambda *_: None)
    clients = Clients(cast("Aws", there), clock).sharing()
    target = Target(Shy(misses), Item("thing", "thing", SUFFIX, id="t-1"))

    found = look(clients, target, clock.wall() - age)

    assert bool(found) is is_found
    assert sum(clock.sleeps) <= waited


def test_a_thing_that_never_had_an_id_is_not_waited_for() -> None:
    clock = Wall()
    there = SimpleNamespace(pace=1.0, hides_for=0.0, endpoint="", region="us-east-1", client=lambda *_: None)
    target = Target(Shy(9), Item("thing", "thing", SUFFIX))

    assert look(Clients(cast("Aws", there), clock).sharing(), target, clock.wall()) is None
    assert clock.sleeps == []


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("is_young", [True, False], ids=["seconds old", "old"])
def test_a_log_group_that_aws_hides_is_gone_only_when_it_is_old(
    standing: Standing, command: str, is_young: bool
) -> None:
    """Seen live: a log group seconds old was called deleted behind our back."""
    path = standing.desk.ledger(SUFFIX)
    ledger = json.loads(path.read_text())
    for entry in ledger["entries"].values():
        entry["made"] = time.time() + 1000 if is_young else LONG_AGO
    path.write_text(json.dumps(ledger))
    kind = next(one for one in lag.KINDS if one.create == "CreateLogGroup")
    lag._fresh.at(ACCOUNT, "us-east-1")[TASKS_LOG] = lag.Fresh(kind, TASKS_LOG, reads=1)

    told = standing.desk.run(command, "--suffix", SUFFIX, "--detailed-exitcode")

    assert told.code == (0 if is_young else 2), told.out
    assert told.out == ({"plan": "No changes.\n", "drift": "No drift.\n"}[command] if is_young else told.out)
    lag._fresh.at(ACCOUNT, "us-east-1").pop(TASKS_LOG)
