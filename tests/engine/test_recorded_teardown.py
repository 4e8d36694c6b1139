"""What a teardown works on: a resource of the state, and which of AWS's it must not take for that."""

from __future__ import annotations

from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.fake_resources import SUFFIX, Part, Thing

TYPES: dict[str, ResourceType] = {"Thing": Thing(), "Part": Part()}


def state_of(**resources: ResourceState) -> StackState:
    state = StackState(SUFFIX, StackLocation("123456789012", "aws", "us-east-1"))
    state.resources.update({name.replace("__", "~"): resource for name, resource in resources.items()})
    return state


def thing(id_: str = "", type_name: str = "Thing", region: str = "us-east-1") -> ResourceState:
    return ResourceState(type_name, "ml-api-thing-prod", "step", region, "ready", id_, {"Colour": "red"})


def test_one_whose_id_nobody_knows_is_never_taken_for_another_of_the_state() -> None:
    """They are found by the same name and tags: the deposed one and the new one."""
    state = state_of(
        thing=thing(),
        thing__old=thing("t-old"),
        other=thing("t-2"),
        part=thing("p-1", "Part"),
        there=thing("t-3", region="eu-west-1"),
    )

    assert recorded_resource(state, "thing", TYPES).spec.excluded_ids == {"t-old", "t-2"}


def test_one_that_is_known_by_its_id_needs_none_to_be_left_out() -> None:
    state = state_of(thing=thing("t-1"), thing__old=thing("t-old"))

    assert recorded_resource(state, "thing", TYPES).spec.excluded_ids == frozenset()


def test_it_is_asked_for_as_it_was_declared() -> None:
    managed = recorded_resource(state_of(thing__old=thing("t-old", region="eu-west-1")), "thing~old", TYPES)

    assert (managed.spec.logical_id, managed.spec.aws_name, managed.spec.id) == (
        "thing~old",
        "ml-api-thing-prod",
        "t-old",
    )
    assert (managed.region, managed.step, managed.spec.props) == ("eu-west-1", "step", {"Colour": "red"})
    assert managed.spec.tags["ml-api:node"] == "thing"
