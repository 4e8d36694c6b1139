"""A scheduled action that somebody puts on a service is told, and blamed where it ends the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import SCALING

NIGHT, MORNING = "cron(0 20 * * ? *)", "cron(0 6 * * ? *)"
LAST_YEAR = {"StartTime": "2024-01-01T00:00:00Z", "EndTime": "2024-02-01T00:00:00Z"}
FINDING = "schedule-ends-service"


@pytest.fixture
def stack(live_stack: LiveStack) -> Iterator[LiveStack]:
    """The standing stack, without its scheduled actions afterwards."""
    yield live_stack
    for one in actions(live_stack):
        name = one["ScheduledActionName"]
        live_stack.aws("application-autoscaling").delete_scheduled_action(**SCALING, ScheduledActionName=name)


def actions(live_stack: LiveStack) -> list[dict[str, Any]]:
    """All that AWS holds, of all pages."""
    pages = live_stack.aws("application-autoscaling").get_paginator("describe_scheduled_actions")
    return [one for page in pages.paginate(ServiceNamespace="ecs") for one in page["ScheduledActions"]]


def put(live_stack: LiveStack, name: str, schedule: str, **more: Any) -> None:
    """A scheduled action by hand; numbers are what it sets."""
    limits = {key: more.pop(key) for key in ("MinCapacity", "MaxCapacity") if key in more}
    live_stack.aws("application-autoscaling").put_scheduled_action(
        **SCALING, ScheduledActionName=name, Schedule=schedule, ScalableTargetAction=limits, **more
    )


def blamed(live_stack: LiveStack) -> list[str]:
    """What `doctor` finds."""
    ran = live_stack.desk.run("doctor", "--suffix", SUFFIX, "--json")
    return [one["finding"] for one in ran.lines[0]["checks"] if one["state"] == "wrong"]


def test_drift_names_it_and_apply_leaves_it(stack: LiveStack) -> None:
    put(stack, "night", NIGHT, MinCapacity=0, MaxCapacity=0, Timezone="Europe/Berlin")

    ran = stack.desk.run("drift", "--suffix", SUFFIX, "--detailed-exitcode")

    assert ran.code == 2
    assert f"scheduled action night, {NIGHT} Europe/Berlin: minimum 0, maximum 0  (apply leaves it: " in ran.out
    assert "Drift: 1 added by hand." in ran.out
    assert stack.desk.plan(SUFFIX) == "No changes.\n"
    assert [one["ScheduledActionName"] for one in actions(stack)] == ["night"]


def test_of_many_each_is_named(stack: LiveStack) -> None:
    names = {f"day-{at}" for at in range(51)}
    for name in names:
        put(stack, name, MORNING, MinCapacity=1)

    (told,) = stack.desk.well("drift", "--suffix", SUFFIX, "--json").lines

    assert {name for name in names if f"scheduled action {name}, " in str(told)} == names


@pytest.mark.parametrize(
    ("limits", "more", "is_blamed"),
    [
        ({"MinCapacity": 0, "MaxCapacity": 0}, {}, True),
        # What adds tasks counts requests per task: of no task there is none.
        ({"MinCapacity": 0}, {}, True),
        ({"MaxCapacity": 0}, {}, True),
        ({"MinCapacity": 0, "MaxCapacity": 0}, LAST_YEAR, False),
        ({"MinCapacity": 1, "MaxCapacity": 2}, {}, False),
    ],
)
def test_one_that_leaves_no_task_is_blamed(
    stack: LiveStack, limits: dict[str, int], more: dict[str, str], is_blamed: bool
) -> None:
    put(stack, "night", NIGHT, **limits, **more)

    assert blamed(stack) == ([FINDING] if is_blamed else [])


def test_one_that_another_takes_back_in_the_morning_is_no_fault(stack: LiveStack) -> None:
    put(stack, "night", NIGHT, MinCapacity=0, MaxCapacity=0)
    put(stack, "morning", MORNING, MinCapacity=2, MaxCapacity=4)

    assert blamed(stack) == []
