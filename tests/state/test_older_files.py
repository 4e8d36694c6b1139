"""Files that a version with the old names in its code wrote are taken over: their JSON keys are the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.commands.saved_plan import SavedPlan
from provisioner.commands.stack_teardown import last_report
from provisioner.workspace import Workspace
from state.lock_holder import LockHolder
from state.run_record import validate_run_record
from state.serialization import json_fields
from state.stack_state import StackState

FIXTURES = Path(__file__).parent / "fixtures" / "before_the_rename"
# What a state file of today has beyond those.
SINCE = {"schema": 3, "settings": None}


def test_a_state_file_is_read_and_written_with_the_same_keys() -> None:
    text = (FIXTURES / "state.json").read_bytes()

    state = StackState.parse(text, "state.json")

    assert json.loads(state.dump(json.loads(text)["writer"])) == {**json.loads(text), **SINCE}
    assert state.resources["aurora"].type_name == "DBCluster"
    assert {one.phase for one in state.resources.values()} == {"ready"}


def test_a_state_that_a_killed_run_left_keeps_all_that_is_open() -> None:
    text = (FIXTURES / "cut_off_state.json").read_bytes()

    state = StackState.parse(text, "cut_off_state.json")

    assert json.loads(state.dump(json.loads(text)["writer"])) == {**json.loads(text), **SINCE}
    intent = state.resources["aurora"].intent
    assert intent is not None
    assert (intent.action, intent.started_at) == ("create", 1790000100.0)
    assert [stone.logical_id for stone in state.tombstones] == ["igw"]
    assert state.pending_commands["run:abc"].revision.endswith("ml-api-taskdef-c:2")
    assert state.teardown_began == 1790000400.0


def test_a_saved_plan_is_read_with_its_decisions() -> None:
    plan = SavedPlan.load(FIXTURES / "saved_plan.json")

    assert {name for name, change in plan.changes.items() if change["action"] == "update"} == {"scaling"}


def test_a_run_record_is_still_one() -> None:
    record = json.loads((FIXTURES / "run.json").read_text())

    assert validate_run_record(record) == record


def test_the_report_of_a_teardown_tells_what_was_deleted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    text = (FIXTURES / "teardown.json").read_bytes()
    workspace.backend.report("c", "20261130T213753Z").save(text)

    report = last_report(workspace, "c")

    deleted = json.loads(text)["deleted"]
    assert [(stone.logical_id, stone.id) for stone in report["deleted"]] == [
        (one["node"], one["id"]) for one in deleted
    ]
    assert deleted


@pytest.mark.parametrize("lease", [30.0, None])
def test_a_lock_names_its_holder(lease: float | None) -> None:
    text = json.dumps({**json.loads((FIXTURES / "lock.json").read_text()), "lease": lease})

    holder = LockHolder.parse(text)

    assert holder is not None
    assert json_fields(holder) == json.loads(text)
