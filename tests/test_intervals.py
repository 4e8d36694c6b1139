"""What AWS takes only so often: a run does what it can, and says from when the rest can be done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.decide import Change
from provisioner.engine.intervals import in_time, timed
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.refused import NotYet
from provisioner.engine.target import Target
from provisioner.engine.traits import codes, minutes
from provisioner.errors import NotBefore
from state.document import Document, Entry, Place
from state.ledger import Ledger
from tests.memory import Memory
from tests.things import Thing

HOUR = 3600.0
NOON = 12 * HOUR


class Slow(Thing):
    """AWS takes one change of it an hour."""

    interval, too_soon, patience = minutes(60), codes("ValidationException: too often"), minutes(20)

    def changes(self, seen: Doc, wanted: Doc) -> int:
        return 2 if seen["Colour"] and wanted["Colour"] else 1


TARGET = Target(Slow(), Item("thing", "ml-api-thing-prod", "prod"))
UPDATE = Change("update", "thing", "Slow", "ml-api-thing-prod", "piece")


def ledger(*, made: float = 0.0, changed: float = 0.0) -> Ledger:
    entry = Entry("Slow", "ml-api-thing-prod", phase="updating", id="t-1", made=made, changed=changed)
    document = Document("prod", Place("1", "aws", "us-east-1"), entries={"thing": entry})
    return Ledger(document, Memory(), lambda: NOON)


def why(entry: Entry | None, *colours: str, pace: float = 1.0) -> str:
    seen, wanted = ({"Colour": colour} for colour in colours)
    return timed(UPDATE, Slow(), entry, (seen, wanted), NOON, pace).why


def too_often() -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": "Too often"}}, "Paint")


@pytest.mark.parametrize(
    ("made", "changed", "colours", "done"),
    [
        (1.0, 0.0, ("red", ""), ""),
        (NOON - 1800, 0.0, ("red", ""), "12:30 UTC"),
        (1.0, NOON - 600, ("red", ""), "12:50 UTC"),
        (1.0, 0.0, ("red", "blue"), "13:00 UTC"),
        (1.0, NOON - 1800, ("red", "blue"), "13:30 UTC"),
    ],
)
def test_a_plan_says_when_all_of_a_change_is_done(
    made: float, changed: float, colours: tuple[str, str], done: str
) -> None:
    told = why(ledger(made=made, changed=changed).get("thing"), *colours)

    assert told == (f"AWS takes one change in 60 minutes: done from {done}" if done else "")


def test_it_says_nothing_where_nothing_is_known_takes_time_or_changes() -> None:
    entry = replace(ledger(made=NOON).document.entries["thing"])

    assert why(None, "red", "") == ""
    assert why(entry, "red", "blue", pace=0.0) == ""
    assert timed(replace(UPDATE, verb="keep"), Slow(), entry, ({}, {}), NOON, 1.0).why == ""


def test_a_change_that_can_be_made_now_is_made_and_its_time_kept() -> None:
    kept = ledger(made=1.0)

    with in_time(kept, lambda: NOON, 1.0, TARGET):
        pass

    assert kept.document.entries["thing"].changed == NOON


def test_a_change_too_soon_after_the_last_is_not_tried() -> None:
    kept = ledger(changed=NOON - 1800)

    with pytest.raises(NotBefore, match=r"from 12:30 UTC"), in_time(kept, lambda: NOON, 1.0, TARGET):
        pytest.fail("tried")

    assert kept.document.entries["thing"].changed == NOON - 1800


@pytest.mark.parametrize("error", [NotYet("the rest", due=HOUR), too_often()], ids=["half done", "refused"])
def test_the_rest_of_a_change_is_put_off(error: Exception) -> None:
    kept = ledger(made=1.0)

    with pytest.raises(NotBefore, match=r"from 13:00 UTC"), in_time(kept, lambda: NOON, 1.0, TARGET):
        raise error

    entry = kept.document.entries["thing"]
    assert (entry.phase, entry.intent, entry.changed) == ("finishing", None, NOON)


def test_any_other_error_is_what_it_is() -> None:
    with pytest.raises(KeyError), in_time(ledger(), lambda: NOON, 1.0, TARGET):
        raise KeyError("x")
