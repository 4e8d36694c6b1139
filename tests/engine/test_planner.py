from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.planning.change import Action, delete_change
from provisioner.engine.planning.planner import PREDECESSOR_IS_DELETING, decide_change
from provisioner.engine.resource_graph.references import JsonObject, Ref, Unknown
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState
from tests.support.fake_resources import (
    OURS,
    Ageing,
    Guest,
    Hidden,
    Known,
    Part,
    Patient,
    Phoenix,
    Recalled,
    Thing,
    Treasure,
    entry,
    node,
    seen,
)

RED = {"Colour": "red", "Shape": "round"}
NEIGHBOUR = {**OURS, "Environment": "prod-2"}
ELSEWHERE = {**OURS, "ml-api:region": "eu-west-1"}
STRANGER = {"Owner": "ada"}
SAME_WORD = {"Environment": OURS["Environment"], "ManagedBy": "terraform"}
PARTLY = {key: value for key, value in OURS.items() if key != "Environment"} | {"Project": "renamed"}
FIELDS = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers() | st.text(max_size=3), max_size=3)


def decided(
    resource_type: type[ResourceType],
    known_state: ResourceState | None,
    observed: JsonObject | None,
    wanted: JsonObject | None = None,
) -> Any:
    asked = RED if wanted is None else wanted
    return decide_change(node(resource_type, **asked), known_state, observed, asked)


@pytest.mark.parametrize(
    ("observed", "known", "kind", "verb", "adopts"),
    [
        pytest.param(None, None, Thing, "create", False, id="nothing, nothing"),
        pytest.param(None, entry("", intent="create"), Thing, "create", False, id="nothing, open intent"),
        pytest.param(None, entry(), Thing, "create", False, id="nothing, known id"),
        pytest.param(seen("left", **RED), entry(), Thing, "create", False, id="gone, known id"),
        pytest.param(seen("left", STRANGER), None, Thing, "create", False, id="a stranger's, gone"),
        pytest.param(seen("left", **RED), entry(), Recalled, "refuse", False, id="ended by a person"),
        pytest.param(seen("left", **RED), entry("t-0"), Recalled, "create", False, id="another one, ended"),
        pytest.param(seen("left", **RED), None, Recalled, "create", False, id="ended, ledger lost"),
        pytest.param(seen("left", **RED), entry(phase="deleting"), Recalled, "create", False, id="ended by us"),
        pytest.param(seen("leaving", **RED), entry(), Thing, "create", False, id="being deleted"),
        pytest.param(seen("leaving", **RED), None, Thing, "create", True, id="being deleted, ledger lost"),
        pytest.param(seen(tags=STRANGER, **RED), None, Thing, "refuse", False, id="a stranger's"),
        pytest.param(seen(tags={}, **RED), None, Thing, "refuse", False, id="nobody's"),
        pytest.param(seen(tags=NEIGHBOUR, **RED), None, Thing, "refuse", False, id="the neighbour stack's"),
        pytest.param(seen(tags=STRANGER, **RED), entry("t-0"), Thing, "refuse", False, id="not this id"),
        pytest.param(seen(tags=NEIGHBOUR, **RED), entry(), Known, "refuse", False, id="this name, not ours"),
        pytest.param(seen(tags=STRANGER, **RED), entry(), Known, "refuse", False, id="this name, a stranger"),
        pytest.param(seen(tags=ELSEWHERE, **RED), entry(), Known, "refuse", False, id="this name, elsewhere"),
        pytest.param(seen(tags=SAME_WORD, **RED), entry(), Known, "refuse", False, id="this name, one word"),
        pytest.param(seen(tags=PARTLY, **RED), entry(), Known, "update", False, id="this name, a tag off"),
        pytest.param(seen(tags={}, **RED), entry(), Known, "update", False, id="this name, tags stripped"),
        pytest.param(seen(tags=ELSEWHERE, **RED), None, Thing, "refuse", False, id="another region's"),
        pytest.param(seen("leaving", STRANGER), None, Thing, "refuse", False, id="a stranger's, being deleted"),
        pytest.param(seen(tags={}, **RED), None, Guest, "update", True, id="nobody's, as AWS makes them"),
        pytest.param(seen(tags=NEIGHBOUR, **RED), None, Guest, "refuse", False, id="made by AWS, taken by others"),
        pytest.param(seen(tags={}, **RED), None, Part, "keep", True, id="a part of what is ours"),
        pytest.param(seen(**RED), None, Thing, "keep", True, id="ours, ledger lost"),
        pytest.param(seen(**RED), entry("", intent="create"), Thing, "keep", True, id="ours, open intent"),
        pytest.param(seen("coming", **RED), None, Thing, "finish", True, id="ours and young, ledger lost"),
        pytest.param(seen(Colour="blue", Shape="round"), None, Thing, "update", True, id="ours, differs"),
        pytest.param(seen(Colour="red", Shape="flat"), entry(), Thing, "replace", False, id="fixed differs"),
        pytest.param(seen(Colour="red", Shape="flat"), entry(), Treasure, "refuse", False, id="holds data"),
        pytest.param(seen(Colour="z", Shape="round"), entry(), Ageing, "refuse", False, id="no way back"),
        pytest.param(seen(Colour="a", Shape="round"), entry(), Ageing, "update", False, id="a way on"),
        pytest.param(seen("broken", **RED), entry(), Thing, "refuse", False, id="failed"),
        pytest.param(seen("broken", **RED), entry(), Phoenix, "replace", False, id="failed, again"),
        pytest.param(seen("broken", **RED), entry(), Patient, "update", False, id="failed, mend"),
        pytest.param(seen("broken", Shape="round"), entry(), Patient, "update", False, id="failed, differs"),
        pytest.param(seen("broken", Shape="round"), entry(), Thing, "refuse", False, id="failed, beyond help"),
        pytest.param(seen(Colour="blue", Shape="round"), entry(), Thing, "update", False, id="differs"),
        pytest.param(seen("coming", Colour="x", Shape="round"), entry(), Thing, "update", False, id="young"),
        pytest.param(seen(tags=STRANGER, **RED), entry(), Thing, "update", False, id="tags taken away"),
        pytest.param(seen("coming", **RED), entry(), Thing, "finish", False, id="as wanted, not ready"),
        pytest.param(seen(**RED), entry(phase="finishing"), Thing, "finish", False, id="ready, not yet noted"),
        pytest.param(seen(Count=9, **RED), entry(), Thing, "keep", False, id="another owner's field"),
        pytest.param(seen(**RED), entry(), Thing, "keep", False, id="as wanted"),
    ],
)
def test_decision(
    observed: JsonObject | None, known: ResourceState | None, kind: type[ResourceType], verb: Action, adopts: bool
) -> None:
    change = decided(kind, known, observed)

    assert (change.action, change.adopts) == (verb, adopts)


def test_a_refusal_shows_whose_it_is() -> None:
    assert "Owner=ada" in decided(Thing, None, seen(tags=STRANGER)).reason
    assert "Environment=prod-2" in decided(Thing, None, seen(tags=NEIGHBOUR)).reason
    assert "no tags at all" in decided(Thing, None, seen(tags={})).reason


def test_what_has_gone_one_way_tells_what_to_do() -> None:
    change = decided(Ageing, entry(), seen(Colour="z", Shape="round"))

    assert (change.reason, [one.path for one in change.differences]) == ("it is darker", ["Colour"])


def test_a_replacement_names_the_field_that_forces_it() -> None:
    assert "Shape" in decided(Thing, entry(), seen(Colour="red", Shape="flat")).reason


def test_a_loss_of_data_is_named_as_the_reason() -> None:
    why = decided(Treasure, entry(), seen(Colour="red", Shape="flat")).reason

    assert "Shape" in why
    assert "would lose" in why


def test_what_vanished_behind_our_back_is_told_apart_from_what_never_was() -> None:
    assert decided(Thing, entry(), None).reason == "it was deleted outside of this tool"
    assert decided(Thing, None, None).reason == ""


def test_what_is_being_deleted_is_awaited() -> None:
    assert decided(Thing, entry(), seen("leaving")).reason == PREDECESSOR_IS_DELETING


def test_an_update_names_each_field_with_both_values() -> None:
    change = decided(Thing, entry(), seen(tags={**OURS, "Name": "x"}, Colour="blue", Shape="round"))

    assert [(one.path, one.old, one.new) for one in change.differences] == [
        ("Colour", "blue", "red"),
        ("Tags.Name", "x", "ml-api-thing-prod"),
    ]


def test_a_value_that_is_not_known_yet_is_decided_as_a_change() -> None:
    change = decided(Thing, entry(), seen(Colour="red"), {"Colour": Unknown(Ref("new", "id"))})

    assert change.action == "update"


def test_what_is_no_longer_declared_goes() -> None:
    gone = delete_change("thing", entry(), Thing())

    assert (gone.action, gone.id, gone.reason) == ("delete", "t-1", "no longer declared")


def test_what_outlives_the_stack_is_released() -> None:
    class Lasting(Thing):
        def declared_retention_reason(self, _props: JsonObject) -> str:
            return "others live by it"

    gone = delete_change("thing", entry(), Lasting())

    assert (gone.action, gone.changes_aws) == ("release", False)
    assert gone.reason == "no longer declared; it stays: others live by it"


@given(wanted=FIELDS, more=FIELDS)
def test_what_is_as_wanted_is_never_touched(wanted: JsonObject, more: JsonObject) -> None:
    observed = seen(**{**more, **wanted})

    for known_state in (None, entry(), entry(**wanted), entry(phase="updating", intent="update", **wanted)):
        change = decided(Thing, known_state, observed, wanted)
        assert not change.changes_aws
        assert change.action == ("finish" if known_state and known_state.phase != "ready" else "keep")


@given(wanted=FIELDS, other=FIELDS, state=st.sampled_from(["up", "coming", "broken", "leaving"]))
def test_a_strangers_thing_is_never_touched(wanted: JsonObject, other: JsonObject, state: str) -> None:
    for known_state in (None, entry("", intent="create"), entry("t-0")):
        assert decided(Thing, known_state, seen(state, STRANGER, **other), wanted).action == "refuse"


@given(wanted=FIELDS, other=FIELDS, state=st.sampled_from(["up", "coming", "broken", "leaving", "left"]))
def test_deciding_changes_nothing_and_comes_to_the_same_again(
    wanted: JsonObject, other: JsonObject, state: str
) -> None:
    known_state, observed = entry(**other), seen(state, **other)
    before = copy.deepcopy((known_state, observed, wanted))

    first = decided(Thing, known_state, observed, wanted)

    assert decided(Thing, known_state, observed, wanted) == first
    assert (known_state, observed, wanted) == before


@given(wanted=FIELDS, other=FIELDS)
def test_an_update_brings_about_what_is_then_kept(wanted: JsonObject, other: JsonObject) -> None:
    observed = seen(**other)
    change = decided(Thing, entry(), observed, wanted)
    after = {**observed, **{one.path: one.new for one in change.differences}}

    assert decided(Thing, replace(entry(), recorded=dict(wanted)), after, wanted).action == "keep"


def test_a_change_that_is_refused_tells_the_way_out() -> None:
    change = decided(Hidden, entry(), seen(Colour="red", Shape="flat"))

    assert (change.action, change.reason) == (
        "refuse",
        "Shape can only be set on a new one; buy a second one",
    )
