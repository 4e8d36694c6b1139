"""A delete that AWS refuses is followed by a look, whatever the code: what is not there is gone."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources import RESOURCE_TYPES
from state.stack_state import ResourceState
from tests.engine.test_retry_policy import hands
from tests.engine.test_user_errors import answered
from tests.engine.test_waiter import Hurried
from tests.support.fake_resources import OURS, SUFFIX, Thing, seen

UNHEARD_OF = answered("NobodyEverSawThisCode", message="There is nothing of that kind")


class Refusing(Thing):
    """Its end is refused; what a look finds is told by each answer, the last one for ever."""

    def __init__(self, error: ClientError, *looks: JsonObject | ClientError | None) -> None:
        self.error, self.looks, self.asked = error, list(looks), 0

    def read(self, *_: Any) -> JsonObject | None:
        self.asked += 1
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, ClientError):
            raise found
        return found

    def delete(self, *_: Any) -> None:
        raise self.error


def ended(resource_type: ResourceType, id_: str = "t-1") -> bool:
    """Delete one that an earlier run made; whether it counts for gone, and is forgotten with a tombstone."""
    mine = hands(Hurried())
    spec = ResourceSpec("thing", "ml-api-thing-prod", SUFFIX, {"Id": id_}, OURS, id_)
    mine.state_manager.record_intent(
        "thing", "create", ResourceState(str(resource_type), spec.aws_name, "", "", "creating", "", {})
    )
    mine.state_manager.record_id("thing", id_)
    mine.state_manager.record_ready("thing", changed=0.0)
    mine.delete(ManagedResource(resource_type, spec))
    return mine.state_manager.get("thing") is None


@pytest.fixture(autouse=True)
def _old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted here was made long ago."""
    monkeypatch.setattr("provisioner.engine.execution.deletion.consistency_seconds_left", lambda *_: 0.0)


@pytest.mark.parametrize(
    "error",
    [
        UNHEARD_OF,
        answered("ValidationException"),
        answered("InvalidState", 409),
        answered("InternalFailure", 500),
    ],
)
def test_what_is_not_there_is_gone_whatever_the_code(error: ClientError) -> None:
    assert ended(Refusing(error, None))


def test_what_has_ended_by_its_own_word_is_gone() -> None:
    assert ended(Refusing(UNHEARD_OF, {**seen("left"), "Id": "t-1"}))


@pytest.mark.parametrize("error", [answered("AccessDenied", 403), answered("ThrottlingException")])
def test_what_is_denied_or_throttled_proves_nothing(error: ClientError) -> None:
    with pytest.raises(ClientError, match=error.response["Error"]["Code"]):
        ended(Refusing(error, None))


@pytest.mark.parametrize(
    "looks",
    [({**seen("up"), "Id": "t-1"},), (None, {**seen("up"), "Id": "t-1"}), (answered("AccessDenied", 403),)],
    ids=["it is there", "it was overlooked once", "it may not be looked at"],
)
def test_what_is_there_or_cannot_be_seen_is_refused_with_aws_own_words(looks: tuple[Any, ...]) -> None:
    with pytest.raises(ClientError, match="NobodyEverSawThisCode"):
        ended(Refusing(UNHEARD_OF, *looks))


def test_a_refusal_that_time_cures_is_waited_out_first_and_looked_at_once() -> None:
    class Held(Refusing):
        retryable_codes = {"delete": codes("DependencyViolation")}  # noqa: RUF012 - as kinds declare it
        timeout = 600.0

    resource_type = Held(answered("DependencyViolation"), None)

    assert ended(resource_type)
    assert resource_type.asked < 6


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_it_is_so_for_every_resource_type(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resource_type = RESOURCE_TYPES[name]

    def refuse(*_: Any) -> None:
        raise UNHEARD_OF

    for verb, answer in (("read", lambda *_: None), ("delete", refuse), ("retention_reason", lambda *_: "")):
        monkeypatch.setattr(type(resource_type), verb, answer)

    assert ended(resource_type)
