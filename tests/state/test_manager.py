from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.names import WRITER
from state.errors import LockHeld, StateError
from state.manager import StateManager
from state.serialization import json_fields
from state.stack_state import SCHEMA, Intent, ResourceState, StackLocation, StackState, Tombstone
from tests.support.memory_state_store import MemoryStateStore

PLACE = StackLocation("123456789012", "aws", "us-east-1")
WORDS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=6,
)
DOCS = st.dictionaries(WORDS, VALUES, max_size=3)
INTENTS = st.builds(Intent, WORDS, WORDS, st.floats(0, 1e10))
PHASES = st.sampled_from(["creating", "finishing", "ready", "updating", "deleting"])
ENTRIES = st.builds(
    ResourceState,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    PHASES,
    WORDS,
    DOCS,
    st.none() | DOCS,
    st.lists(WORDS),
    st.none() | INTENTS,
)
TOMBSTONES = st.builds(Tombstone, WORDS, WORDS, WORDS, WORDS, WORDS, st.floats(0, 1e10), DOCS)
DOCUMENTS = st.builds(
    StackState,
    suffix=WORDS,
    location=st.builds(StackLocation, WORDS, WORDS, WORDS, WORDS),
    serial=st.integers(0),
    fencing_token=st.integers(0),
    lookups=DOCS,
    outputs=st.dictionaries(WORDS, WORDS),
    resources=st.dictionaries(WORDS, ENTRIES, max_size=3),
    tombstones=st.lists(TOMBSTONES, max_size=2),
)


@pytest.fixture
def store() -> MemoryStateStore:
    return MemoryStateStore()


@pytest.fixture
def state_manager(store: MemoryStateStore) -> StateManager:
    return StateManager(StackState("prod", PLACE), store, WRITER, lambda: 1000.0)


@given(DOCUMENTS)
def test_a_document_reads_back_as_it_was_written(document: StackState) -> None:
    assert StackState.parse(document.dump(WRITER), "x") == document


def test_a_document_tells_its_schema_and_who_wrote_it() -> None:
    raw = json.loads(StackState("prod", PLACE).dump(WRITER))

    assert raw["schema"] == SCHEMA
    assert raw["writer"].startswith("ml-api-provisioner ")


def whole(**changed: Any) -> bytes:
    return json.dumps({**json.loads(StackState("prod", PLACE).dump(WRITER)), **changed}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        StackState("prod", PLACE).dump(WRITER)[:-40],
        whole(place="nowhere"),
        whole(place={"account": "1"}),
        whole(entries={"vpc": {"kind": "Vpc"}}),
        whole(entries=["vpc"]),
        whole(tombstones=[{}]),
        whole(unheard_of=1),
        whole(serial=None),
        whole(fence=True),
        whole(outputs={"url": 1}),
        b"[" * 100_000,
        b'{"version": 4, "terraform_version": "1.9", "resources": []}',
    ],
)
def test_what_is_no_ledger_or_a_damaged_one_is_refused(text: bytes) -> None:
    with pytest.raises(StateError) as caught:
        StackState.parse(text, "there.json")

    assert "there.json" in caught.value.message
    assert "apply" in caught.value.hint


ENTRY = json_fields(ResourceState("ec2.vpc", "n", depends_on=["x"], tags={"a": "b"})) | {
    "intent": json_fields(Intent("create", "t", 1.0))
}
STONE = json_fields(Tombstone("x", "ec2.vpc", "n", "i", "us-east-1", 1.0))


@pytest.mark.parametrize(
    ("where", "field"), [("entries", one) for one in ENTRY] + [("tombstones", one) for one in STONE]
)
def test_a_field_that_somebody_has_set_to_what_it_cannot_be_is_damage(where: str, field: str) -> None:
    part = (ENTRY if where == "entries" else STONE) | {field: True}
    held: Any = {"vpc": part} if where == "entries" else [part]

    with pytest.raises(StateError, match=f"damaged .*{field if field != 'intent' else ''}"):
        StackState.parse(whole(**{where: held}), "there.json")


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "1", None])
def test_a_ledger_of_another_schema_is_refused_and_says_who_can_read_it(schema: Any) -> None:
    with pytest.raises(StateError, match="schema") as caught:
        StackState.parse(whole(schema=schema), "there.json")

    assert "version of the provisioner that wrote it" in caught.value.hint


def test_an_intent_is_on_disk_with_its_token_before_it_is_acted_on(
    state_manager: StateManager, store: MemoryStateStore
) -> None:
    intent = state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))

    written = store.latest.resources["vpc"]
    assert written.intent == intent
    assert (intent.action, intent.started_at) == ("create", 1000.0)
    assert len(intent.token) >= 32


def test_the_token_of_an_open_intent_is_kept(state_manager: StateManager, store: MemoryStateStore) -> None:
    """The second attempt must be recognised by AWS as the first one."""
    first = state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))
    again = StateManager(store.latest, store, WRITER, lambda: 2000.0).record_intent(
        "vpc", "create", ResourceState("Vpc", "n")
    )

    assert again == first


def test_another_verb_and_a_fulfilled_intent_get_tokens_of_their_own(state_manager: StateManager) -> None:
    create = state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))
    update = state_manager.record_intent("vpc", "update", ResourceState("Vpc", "n"))
    state_manager.record_id("vpc", "vpc-1")
    later = state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))

    assert len({create.token, update.token, later.token}) == 3


def test_an_id_that_was_found_fulfils_the_intent(state_manager: StateManager, store: MemoryStateStore) -> None:
    state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))
    state_manager.record_id("vpc", "vpc-1")

    resource_state = store.latest.resources["vpc"]
    assert (resource_state.id, resource_state.phase, resource_state.intent) == ("vpc-1", "finishing", None)


def test_what_was_wanted_counts_as_confirmed_only_when_it_was_confirmed(
    state_manager: StateManager, store: MemoryStateStore
) -> None:
    state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n", desired={"CidrBlock": "10.0.0.0/16"}))
    assert store.latest.resources["vpc"].recorded is None

    state_manager.record_ready("vpc", "vpc-1")
    resource_state = store.latest.resources["vpc"]
    assert (resource_state.id, resource_state.phase, resource_state.recorded) == (
        "vpc-1",
        "ready",
        {"CidrBlock": "10.0.0.0/16"},
    )


def test_what_was_deleted_leaves_a_tombstone_with_its_id(state_manager: StateManager, store: MemoryStateStore) -> None:
    state_manager.record_adopted("vpc", ResourceState("Vpc", "n", region="eu-west-1", id="vpc-1"))
    state_manager.remove("vpc", deleted=True)

    assert store.latest.resources == {}
    assert store.latest.tombstones == [Tombstone("vpc", "Vpc", "n", "vpc-1", "eu-west-1", 1000.0, {})]


def test_what_never_was_leaves_none(state_manager: StateManager, store: MemoryStateStore) -> None:
    state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n"))
    state_manager.remove("vpc", deleted=True)
    state_manager.remove("never heard of", deleted=True)

    assert store.latest.tombstones == []


def test_what_is_put_aside_is_still_needed_by_those_that_needed_it(
    state_manager: StateManager, store: MemoryStateStore
) -> None:
    state_manager.record_adopted("task", ResourceState("Task", "n", id="t-1"))
    state_manager.record_adopted("service", ResourceState("Service", "n", depends_on=["task", "vpc"]))
    state_manager.depose("task", "task~t-1")

    assert store.latest.resources.keys() == {"task~t-1", "service"}
    assert store.latest.resources["service"].depends_on == ["task~t-1", "vpc"]


def test_every_act_raises_the_serial_and_is_on_disk_when_it_returns(
    state_manager: StateManager, store: MemoryStateStore
) -> None:
    acts: list[Callable[[], object]] = [
        lambda: state_manager.record_intent("vpc", "create", ResourceState("Vpc", "n")),
        lambda: state_manager.record_id("vpc", "vpc-1"),
        lambda: state_manager.record_ready("vpc"),
        lambda: state_manager.record_outputs(["vpc"], {"vpc_id": "vpc-1"}),
        lambda: state_manager.depose("vpc", "vpc~1"),
        lambda: state_manager.remove("vpc~1", deleted=True),
    ]

    for serial, act in enumerate(acts, start=1):
        act()
        assert store.latest.serial == serial
        assert store.latest.dump(WRITER) == state_manager.state.dump(WRITER)


def test_who_lost_the_lock_writes_nothing_and_hears_of_it_at_each_act(store: MemoryStateStore) -> None:
    lost: list[LockHeld] = []

    def guard() -> None:
        for error in lost:
            raise error

    manager = StateManager(StackState("prod", PLACE), store, WRITER, lambda: 0.0, guard)
    manager.record_outputs([], {"url": "before"})
    lost.append(LockHeld("This run lost its lock.", ""))
    acts: list[Callable[[], None]] = [lambda: manager.record_outputs([], {"url": "after"}), manager.begin_teardown]
    for act in acts:
        with pytest.raises(LockHeld):
            act()

    assert [StackState.parse(text, "").outputs for text in store.saved] == [{"url": "before"}]


def test_the_lock_is_asked_before_each_write_and_after_the_change(store: MemoryStateStore) -> None:
    asked: list[int] = []
    manager = StateManager(
        StackState("prod", PLACE), store, WRITER, lambda: 0.0, lambda: asked.append(len(store.saved))
    )
    for _ in range(3):
        manager.begin_teardown()

    assert asked == [0, 1, 2]
