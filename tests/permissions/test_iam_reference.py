"""The facts about IAM in `provisioner/iam/actions/` agree with each other, and with botocore's models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from provisioner.iam import reference

FILES = {path.stem: path for path in (Path(reference.__file__).parent / "actions").glob("*.json")}
SERVICES = {reference.prefix_of(service): service for service in reference.described_services()}


@pytest.fixture(params=sorted(FILES))
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def facts(prefix: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(FILES[prefix].read_text(encoding="utf-8"))
    return facts


def parameters_of(prefix: str) -> set[str]:
    """The names of all parameters that some operation of the service takes."""
    model = botocore.session.get_session().get_service_model(SERVICES[prefix])
    shapes = (model.operation_model(operation).input_shape for operation in model.operation_names)
    return {name for shape in shapes if shape is not None for name in shape.members}


def test_a_file_has_its_source_and_the_facts_that_are_read(facts: dict[str, Any]) -> None:
    known = {"source", "tagging", "named_by", "resources", "actions"}

    assert {"source", "resources", "actions"} <= facts.keys() <= known
    assert facts["source"]


def test_what_tags_on_create_is_an_action(prefix: str, facts: dict[str, Any]) -> None:
    tagging = facts.get("tagging", {})

    assert {*tagging.values()} | tagging.keys() - {"*"} <= facts["actions"].keys()


def test_what_names_a_resource_is_a_parameter(prefix: str, facts: dict[str, Any]) -> None:
    named_by = facts.get("named_by", {})
    parameters = parameters_of(prefix) if named_by else set()

    assert named_by.keys() <= facts["resources"].keys()
    for paths in named_by.values():
        assert {part.split(".")[0] for path in paths for part in path.split()} <= parameters


def test_the_actions_of_a_create_may_tag() -> None:
    assert reference.tagging_action("sns:CreateTopic") == "sns:TagResource"
    assert reference.tagging_action("iam:CreateRole") == "iam:TagRole"
    assert reference.tagging_action("iam:CreateServiceLinkedRole") == ""
