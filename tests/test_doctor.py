"""`doctor`: it finds each thing that is broken, nothing else, and says what mends it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provisioner.doctor.rounds import CHECKS
from provisioner.embedded.server import EmbeddedAws
from tests.breaks import ROUNDS, Break
from tests.harness import Desk, Ran
from tests.inventory import client
from tests.standing import SUFFIX, Standing

REGION = "eu-west-1"


@dataclasses.dataclass(frozen=True)
class Abroad(Standing):
    """A stack in a region that is not CloudFront's."""

    def aws(self, service: str) -> Any:
        return client(self.desk.box.endpoint, service, REGION)


@pytest.fixture(scope="module")
def stack(served: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    """The stack of the profile `production`."""
    plain = Desk.before(served, tmp_path_factory.mktemp("doctor"))
    desk = dataclasses.replace(plain, environment={"MLAPI_PROFILE": "production"})
    desk.well("apply", "--yes", "--suffix", SUFFIX, "--region", REGION)
    return Abroad(desk)


def told(ran: Ran) -> dict[str, Any]:
    """The one record of a walk."""
    (record,) = ran.lines
    return record


def states(record: dict[str, Any], *wanted: str) -> set[str]:
    """The checks that came to one of these."""
    return {one["check"] for one in record["checks"] if one["state"] in wanted}


def test_a_healthy_stack_has_nothing_wrong_and_all_was_looked_at(stack: Abroad) -> None:
    mark = stack.desk.mark()
    ran = stack.desk.well("doctor", "--json")

    assert [one["check"] for one in told(ran)["checks"]] == [one.name for one in CHECKS]
    assert states(told(ran), "wrong", "not checked") == set()
    assert states(told(ran), "none") <= {"endpoint-path"}
    assert told(ran)["first"] is None
    assert len(stack.desk.box.calls(mark)) <= 45
    assert stack.desk.tries(mark) == []


@pytest.mark.parametrize("broken", ROUNDS, ids=lambda round_: "+".join(one.check for one in round_))
def test_what_is_broken_is_found_and_nothing_else_and_mended_as_told(
    stack: Abroad, broken: list[Break]
) -> None:
    for one in broken:
        one.act(stack)

    ran = stack.desk.run("doctor", "--json")
    record = told(ran)

    assert ran.code == 1
    assert states(record, "wrong") == {one.check for one in broken} | set().union(
        *(one.symptoms for one in broken)
    )
    found = {one["check"]: one for one in record["checks"]}
    for one in broken:
        assert one.says in found[one.check]["what"]
        assert one.type in found[one.check]["type"]
        assert found[one.check]["why"]
    assert record["first"]["check"] == broken[0].check
    stack.desk.well("apply", "--yes", "--suffix", SUFFIX)
    assert states(told(stack.desk.well("doctor", "--json")), "wrong", "not checked") == set()
