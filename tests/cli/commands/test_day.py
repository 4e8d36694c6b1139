"""A day with the stack by whole processes, one verb after the other, each judged from AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult

pytestmark = pytest.mark.slow
FIRST, SECOND = "public.ecr.aws/acme/model:1", "public.ecr.aws/acme/model:2"


def typed(live_stack: LiveStack, *arguments: str, code: int = 0) -> CommandResult:
    """One command, as a user starts it; nothing is left to plan after it."""
    verb, *more = arguments
    ran = live_stack.desk.process(verb, "--local", *more)
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
    return ran


def image(live_stack: LiveStack) -> str:
    """What the service runs."""
    return str(live_stack.task["containerDefinitions"][0]["image"])


def tasks(live_stack: LiveStack) -> set[str]:
    """The tasks that run."""
    return set(live_stack.aws("ecs").list_tasks(cluster=live_stack.service["clusterArn"])["taskArns"])


def bounds(live_stack: LiveStack) -> tuple[int, int]:
    """Between how many tasks it is scaled."""
    scaling = live_stack.aws("application-autoscaling")
    (one,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return one["MinCapacity"], one["MaxCapacity"]


def test_doctor(live_stack: LiveStack) -> None:
    (told,) = typed(live_stack, "doctor", "--json").lines

    assert told["first"] is None
    assert {one["state"] for one in told["checks"]} == {"ok", "none"}


def test_deploy(live_stack: LiveStack) -> None:
    ran = typed(live_stack, "deploy", "--yes", "--image", FIRST)
    assert image(live_stack) == FIRST
    assert ran.out == f"api runs {FIRST} (revision 2).\n"

    typed(live_stack, "deploy", "--yes", "--image", SECOND, "--env", "HOW=well")
    assert image(live_stack) == SECOND


def test_a_deploy_that_fails(live_stack: LiveStack) -> None:
    before = live_stack.service["taskDefinition"]

    ran = typed(live_stack, "deploy", "--yes", "--image", f"{SECOND}-bad", "--env", "HOW=EXIT=3", code=10)

    assert "ended with exit code 3" in ran.err
    assert live_stack.service["taskDefinition"] == before


def test_doctor_once_all_is_as_before(live_stack: LiveStack) -> None:
    (told,) = typed(live_stack, "doctor", "--json").lines

    assert told["first"] is None
    assert any("was rolled back" in one["note"] for one in told["checks"])


def test_releases(live_stack: LiveStack) -> None:
    (told,) = typed(live_stack, "releases", "--json").lines

    runs = [one["arn"] for one in told["releases"] if one["runs"]]
    assert runs == [live_stack.service["taskDefinition"]]
    assert [one["result"] for one in told["releases"]] == ["rolled back", "ok", "ok", "ok"]


def test_rollback(live_stack: LiveStack) -> None:
    typed(live_stack, "rollback", "--yes")
    assert image(live_stack) == FIRST
    ran = typed(live_stack, "rollback", "--yes", "--to", "3")
    assert image(live_stack) == SECOND
    assert ran.out == f"api runs {SECOND} (revision 3).\n"


def test_scale(live_stack: LiveStack) -> None:
    ran = typed(live_stack, "scale", "--yes", "--min", "3", "--max", "6")

    assert ran.out == "api is scaled between 3 and 6 tasks.\n"
    assert bounds(live_stack) == (3, 6)


def test_restart(live_stack: LiveStack) -> None:
    before = tasks(live_stack)

    ran = typed(live_stack, "restart", "--yes")

    assert ran.out == "api has new tasks (revision 3).\n"
    assert tasks(live_stack)
    assert not tasks(live_stack) & before


def test_run(live_stack: LiveStack) -> None:
    ran = typed(live_stack, "run", "--yes", "--", "migrate", "EXIT=4", code=4)

    assert ran.out.splitlines()[-1] == "ending with exit code 4"
    ecs, where = live_stack.aws("ecs"), {"cluster": live_stack.service["clusterArn"]}
    ended = ecs.list_tasks(**where, startedBy="ml-api-run", desiredStatus="STOPPED")["taskArns"]
    (one,) = ecs.describe_tasks(**where, tasks=ended)["tasks"]
    assert one["containers"][0]["exitCode"] == 4


def test_status(live_stack: LiveStack) -> None:
    (told,) = typed(live_stack, "status", "--json").lines

    assert told["well"] is True
    assert told["outputs"]["vpc_id"] == live_stack.vpc
    assert "3 of 3 run" in json.dumps(told["health"]["services"])


def test_logs(live_stack: LiveStack) -> None:
    out = typed(live_stack, "logs", "--filter", "starting").out

    assert f"starting {SECOND}" in out
    assert all(re.match(r"\S+Z api \w{8} ", line) for line in out.splitlines())


def test_report_and_graph(live_stack: LiveStack) -> None:
    ran = typed(live_stack, "report", "--html", "page.html")
    page = Path("page.html").read_text()

    assert ran.out == f"The report on {SUFFIX} is in page.html.\n"
    assert live_stack.vpc in page
    assert live_stack.secret not in page or "password" not in page
    for form, begins in (("mermaid", "flowchart"), ("dot", "digraph"), ("svg", "<svg")):
        assert typed(live_stack, "graph", "--format", form).out.startswith(begins)


def test_history_show_and_diff(live_stack: LiveStack) -> None:
    (told,) = typed(live_stack, "history", "--json").lines
    listed: list[dict[str, Any]] = told["runs"]

    assert [one["command"] for one in listed][-2:] == ["deploy", "apply"]
    assert {one["command"] for one in listed} == {"apply", "deploy", "rollback", "scale", "restart", "run"}
    (run,) = typed(live_stack, "show", "--json").lines
    assert (run["command"], run["exit_code"]) == ("run", 4)
    (differs,) = typed(live_stack, "diff", "--json").lines
    assert differs["type"] == "diff"
    assert "well" not in json.dumps([one["arguments"] for one in listed])


def test_open_and_completion(live_stack: LiveStack) -> None:
    url = live_stack.desk.well("outputs", "cloudfront_distribution_url").out
    assert typed(live_stack, "open", "--print").out == url
    for shell in ("bash", "zsh", "fish"):
        ran = live_stack.desk.process("completion", shell)
        assert f"_ML_API_COMPLETE={shell}_complete" in ran.out
