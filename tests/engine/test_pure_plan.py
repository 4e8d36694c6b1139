"""A plan leaves the state as it is: what it found out it returns, and the run that carries it out records that."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.commands.run_recording import record_plan
from provisioner.engine.calls.clock import Clock
from provisioner.engine.planning import plan_builder
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.session import Session
from state.findings import StateFindings, with_findings
from state.manager import StateManager
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.frozen_state import Freezer
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.memory_state_store import MemoryStateStore

LOOKING = [
    ["plan"],
    ["plan", "--destroy"],
    ["plan", "--set", "container.port=9000"],
    ["drift"],
    ["status"],
]


@pytest.fixture
def freezer(monkeypatch: pytest.MonkeyPatch) -> Freezer:
    """Each state that a session opens with is frozen, and the state of each plan, too."""
    freezer = Freezer(monkeypatch)
    open_session, complete = Session.open.__func__, plan_builder.with_findings  # type: ignore[attr-defined]

    def open_frozen(cls: type[Session], *arguments: Any, **more: Any) -> Session:
        session: Session = open_session(cls, *arguments, **more)
        freezer.freeze(session.state)
        return session

    monkeypatch.setattr(Session, "open", classmethod(open_frozen))
    monkeypatch.setattr(plan_builder, "with_findings", lambda *given: freezer.freeze(complete(*given)))
    return freezer


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_what_only_looks_leaves_the_state_as_it_is(live_stack: LiveStack, freezer: Freezer, command: list[str]) -> None:
    ran = live_stack.desk.run(*command, "--suffix", SUFFIX)

    assert ran.code == 0, ran.err
    assert freezer.count > 50


def test_a_plan_without_a_state_leaves_its_empty_state_as_it_is(
    live_stack: LiveStack, freezer: Freezer, tmp_path: Path
) -> None:
    """It finds the whole stack, what was looked up for it, and the resources that were replaced."""
    ran = live_stack.desk.elsewhere(tmp_path).run("plan", "--suffix", SUFFIX, "--region", live_stack.region)

    assert ran.code == 0, ran.err
    assert freezer.count > 0


def test_a_frozen_state_says_what_was_changed(freezer: Freezer) -> None:
    state = freezer.freeze(_state())

    for change in (
        lambda: setattr(state, "lookups", {}),
        lambda: state.resources.pop("tg"),
        lambda: state.resources["rule"].depends_on.append("vpc"),
        lambda: setattr(state.resources["tg"], "phase", "ready"),
        lambda: state.rename("tg", "tg~1"),
    ):
        with pytest.raises(AssertionError, match="frozen"):
            change()


def _state() -> StackState:
    resources = {
        "tg": ResourceState("TargetGroup", "old", id="1"),
        "rule": ResourceState("ListenerRule", "", id="2", depends_on=["tg"]),
    }
    return StackState("prod", StackLocation("1", "aws", "us-east-1"), resources=resources)


def test_the_run_that_carries_a_plan_out_records_what_it_found_out() -> None:
    state, store = _state(), MemoryStateStore()
    findings = StateFindings(
        lookups={"zones": ["us-east-1a"]},
        replaced={"task": ResourceState("TaskDefinition", "", id="task:7")},
        renamed=(("tg", "tg~1"),),
        siblings={"tg~0": ResourceState("TargetGroup", "older", id="0")},
    )
    planned = with_findings(state, findings)
    state_manager = StateManager(state, store, "test 1", lambda: 0.0)

    state_manager.record_findings(findings)

    assert state == planned
    assert state.lookups == {"zones": ["us-east-1a"]}
    ids = {key: resource_state.id for key, resource_state in state.resources.items()}
    assert ids == {"tg~1": "1", "rule": "2", "task": "task:7", "tg~0": "0"}
    assert state.resources["rule"].depends_on == ["tg~1"]
    state_manager.begin_teardown()
    assert store.latest.resources == planned.resources


def test_the_record_of_a_run_knows_what_its_plan_found_out() -> None:
    """A deposed resource that only the plan has found is recorded with its type and its step, for `timeline`."""
    deposed = ResourceState("TargetGroup", "older", step="alb", id="0")
    state = with_findings(_state(), StateFindings(siblings={"tg~0": deposed}))
    plan: Any = SimpleNamespace(state=state, stack=[])
    aws: Any = SimpleNamespace()
    record = RunRecorder("prod", "apply", [], state.location, aws, Clock())

    record_plan(record, plan)

    recorded = record.resources["tg~0"]
    assert (recorded.type_name, recorded.step) == ("TargetGroup", "alb")


def test_the_plans_of_all_stacks_count_what_they_found_out(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked() -> int:
        (count,) = re.findall(r"(\d+) resources of 1 stack checked", live_stack.desk.well("plan", "--all").err)
        return int(count)

    before = checked()
    deposed = ResourceState("TargetGroup", "older", step="alb", id=live_stack.target_group["TargetGroupArn"] + "0")
    monkeypatch.setattr(plan_builder, "find_sibling_states", lambda *_: {"target-group~0": deposed})

    assert checked() == before + 1
