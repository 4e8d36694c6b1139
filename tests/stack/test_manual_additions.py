"""What is ours by the table of owners and was added by hand is planned, told and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_additions import ADDITIONS, ManualAddition


@dataclass(frozen=True)
class Told:
    """What `plan` and `drift` say: by node, the fields; and what `plan` and `drift` say after an `apply`."""

    planned: Mapping[str, set[str]]
    drifting: Mapping[str, set[str]]
    after: str
    drift_after: list[str]


def _fields(live_stack: LiveStack) -> dict[str, set[str]]:
    ran = live_stack.desk.well("drift", "--suffix", SUFFIX, "--json")
    told = ran.lines[0]["drift"]
    return {one["node"]: {field["path"] for field in one["fields"]} for one in told if one["what"] == "altered"}


@pytest.fixture(scope="module")
def told(live_stack: LiveStack) -> Told:
    for added in ADDITIONS:
        added.act(live_stack)
    changes = live_stack.desk.well("plan", "--suffix", SUFFIX, "--json").lines[0]["changes"]
    planned = {one["node"]: {field["path"] for field in one["fields"]} for one in changes if one["action"] == "update"}
    drifting = _fields(live_stack)
    live_stack.desk.well("apply", "--yes", "--suffix", SUFFIX)
    return Told(planned, drifting, live_stack.desk.plan(SUFFIX), sorted(_fields(live_stack)))


@pytest.mark.parametrize("added", ADDITIONS, ids=lambda one: str(one.node))
def test_what_is_added_by_hand_is_planned_and_told(told: Told, added: ManualAddition) -> None:
    for found in (told.planned.get(added.node, set()), told.drifting.get(added.node, set())):
        for path in added.paths:
            assert any(one == path or one.startswith(f"{path}.") for one in found), (path, found)


def test_apply_takes_it_back(told: Told) -> None:
    assert told.after == "No changes.\n"
    assert told.drift_after == []
