"""The small container that opens the scratch volumes has an image too: it is pulled like the other."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.errors import UsageError
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.endpoints import check_images_reachable
from provisioner.steps.lookups import offline_lookups

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
MAIN, SCRATCH = f"{ECR}/ml-api:1", f"{ECR}/busybox:1"


def settings(**container: Any) -> Settings:
    given = {"image": MAIN, "network": {"nat": "none"}, "container": container}
    return Settings.model_validate({"profile": "production", **given})


def pulled(settings: Settings) -> set[str]:
    """The repositories that the execution role may pull from."""
    stack = build(settings, "prod", "us-east-1", offline_lookups(3, "15"))
    said = stack.resources["execution-role-start"].props["PolicyDocument"]["Statement"]
    layers = [one for one in said if "ecr:BatchGetImage" in one["Action"]]
    return {str(arn.parts[3]) for one in layers for arn in one["Resource"]}


def test_the_role_that_starts_tasks_may_pull_both() -> None:
    assert pulled(settings(scratch_image=SCRATCH)) == {"ml-api", "busybox"}


@pytest.mark.parametrize("unused", [{"readonly_root": False}, {"scratch": ()}])
def test_what_no_task_pulls_is_not_allowed(unused: dict[str, Any]) -> None:
    assert pulled(settings(scratch_image=SCRATCH, **unused)) == {"ml-api"}
    check_images_reachable(settings(**unused), "us-east-1")


def test_without_nat_it_must_lie_where_an_endpoint_leads() -> None:
    check_images_reachable(settings(scratch_image=SCRATCH), "us-east-1")
    with pytest.raises(UsageError, match="busybox") as refused:
        check_images_reachable(settings(), "us-east-1")

    assert "container.scratch_image=" in refused.value.hint
