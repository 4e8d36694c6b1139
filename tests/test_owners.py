"""Fields that others hold are told as theirs, and are never set back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.kinds.rds.aurora import is_newer_minor
from tests.hands import CLUSTER, SERVICE
from tests.harness import Desk
from tests.standing import SUFFIX, Standing, tags

SHIPPED = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ml-api:1.4.2"


def ship(stack: Standing) -> None:
    """What `deploy` comes to: a revision with another image, run by the service that says whose it is."""
    ecs, task = stack.aws("ecs"), stack.task
    container = {**task["containerDefinitions"][0], "image": SHIPPED}
    kept = ("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "runtimePlatform")
    made = ecs.register_task_definition(
        **{key: task[key] for key in (*kept, "executionRoleArn", "taskRoleArn")},
        containerDefinitions=[container],
    )["taskDefinition"]
    arn = made["taskDefinitionArn"]
    ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=arn)
    mark = {"key": "ml-api:image-owner", "value": "deploy"}
    ecs.tag_resource(resourceArn=stack.service["serviceArn"], tags=[mark])


def image(stack: Standing) -> str:
    """What the service runs."""
    return str(stack.task["containerDefinitions"][0]["image"])


def left(desk: Desk, command: str, *more: str) -> list[dict[str, Any]]:
    """What a command tells as left to others."""
    (told,) = desk.well(command, "--suffix", SUFFIX, "--json", *more).lines
    if command == "plan":
        return list(told["held"])
    return [field for one in told["drift"] if one["what"] == "held" for field in one["fields"]]


def test_a_minor_version_is_awss(standing: Standing) -> None:
    desk, running = standing.desk, standing.cluster["EngineVersion"]
    older = f"{running.split('.')[0]}.10"
    ledger = desk.ledger(SUFFIX)
    kept = ledger.read_text()
    ledger.write_text(kept.replace(f'"{running}"', f'"{older}"'))

    assert desk.plan(SUFFIX) == "No changes.\n"
    told = next(one for one in left(desk, "drift") if one["path"] == "EngineVersion")
    assert (told["ledger"], told["aws"]) == (older, running)
    assert desk.run("drift", "--suffix", SUFFIX, "--detailed-exitcode").code == 0
    ledger.write_text(kept)


@pytest.mark.slow
def test_an_image_that_was_shipped_stays_until_it_is_taken_back(standing: Standing, tmp_path: Path) -> None:
    desk = standing.desk
    before = image(standing)
    ship(standing)

    larger = ("--set", "container.cpu=2048", "--set", "container.memory=4096")
    desk.apply(SUFFIX, *larger)

    assert (image(standing), standing.task["cpu"]) == (SHIPPED, "2048")
    for command in ("plan", "drift"):
        (told,) = left(desk, command, *larger)
        assert (told["path"], told["owner"]) == ("image", "deploy")
    ran = desk.well("plan", "--suffix", SUFFIX, *larger)
    assert ran.out == "No changes.\n"
    assert f"Left to deploy: ecs/service image: {before} -> {SHIPPED}" in ran.err

    other = Standing(desk.elsewhere(tmp_path / "another"))
    other.desk.apply(SUFFIX)
    assert image(other) == SHIPPED

    kept = tmp_path / "plan.json"
    other.desk.well("plan", "--suffix", SUFFIX, "--take", "image", "--out", str(kept))
    other.desk.well("apply", str(kept))
    assert image(other) == before
    assert "ml-api:image-owner" not in tags(other.service["tags"])
    assert other.desk.plan(SUFFIX) == "No changes.\n"
    assert left(other.desk, "plan") == []


@pytest.mark.parametrize(
    ("seen", "wanted", "is_awss"),
    [
        ("15.12", "15.10", True),
        ("15.10", "15.10", True),
        ("15.9", "15.10", False),
        ("16.1", "15.10", False),
        ("15.10", "16.1", False),
        ("15.3", "15", True),
    ],
)
def test_aws_upgrades_within_a_major_version_and_never_back(seen: str, wanted: str, is_awss: bool) -> None:
    assert is_newer_minor(seen, wanted) is is_awss
