"""`doctor` on a stack that is only half there, and on one whose tasks do not stay."""

from __future__ import annotations

import pytest

from tests.harness import Desk
from tests.standing import SUFFIX
from tests.test_doctor import states, told


def test_a_stack_that_is_half_up_is_told_to_be_finished(desk: Desk) -> None:
    desk.well("apply", "--yes", "--suffix", SUFFIX, "--target", "vpc")

    ran = desk.run("doctor", "--json")

    assert ran.code == 1
    assert states(told(ran), "wrong") == {"distribution", "balancer", "service", "cluster", "table"}
    assert told(ran)["first"]["what"] == f"There is no distribution ml-api-edge-{SUFFIX}."
    assert told(ran)["first"]["type"] == f"python cli.py apply --suffix {SUFFIX} --local"
    assert {one["state"] for one in told(ran)["checks"] if one["check"] == "vpc"} == {"ok"}


@pytest.mark.slow
def test_tasks_that_end_by_themselves_are_told_with_their_last_lines(desk: Desk) -> None:
    failing = desk.run("apply", "--yes", "--suffix", SUFFIX, "--set", 'container.environment={"EXIT": "3"}')
    assert failing.code == 10

    ran = desk.run("doctor", "--json")

    assert ran.code == 1
    assert "stopped" in states(told(ran), "wrong")
    found = {one["check"]: one for one in told(ran)["checks"]}
    assert "ended with exit code 3" in found["stopped"]["what"]
    assert "ending with exit code 3" in found["stopped"]["evidence"]
    assert states(told(ran), "not checked") == set()
