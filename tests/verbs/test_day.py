"""A day with the stack by whole processes, one verb after the other, each judged from AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Ran
from tests.standing import SUFFIX, Standing

pytestmark = pytest.mark.slow
FIRST, SECOND = "public.ecr.aws/acme/model:1", "public.ecr.aws/acme/model:2"


def typed(stack: Standing, *arguments: str, code: int = 0) -> Ran:
    """One command, as a user starts it; nothing is left to plan after it."""
    verb, *more = arguments
    ran = stack.desk.process(verb, "--local", *more)
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert stack.desk.plan(SUFFIX) == "No changes.\n"
    return ran


def image(stack: Standing) -> str:
    """What the service runs."""
    return str(stack.task["containerDefinitions"][0]["image"])


def tasks(stack: Standing) -> set[str]:
    """The tasks that run."""
    return set(stack.aws("ecs").list_tasks(cluster=stack.service["clusterArn"])["taskArns"])


def bounds(stack: Standing) -> tuple[int, int]:
    """Between how many tasks it is scaled."""
    scaling = stack.aws("application-autoscaling")
    (one,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return one["MinCapacity"], one["MaxCapacity"]


def test_doctor(standing: Standing) -> None:
    (told,) = typed(standing, "doctor", "--json").lines

    assert told["first"] is None
    assert {one["state"] for one in told["checks"]} == {"ok", "none"}


def test_deploy(standing: Standing) -> None:
    ran = typed(standing, "deploy", "--yes", "--image", FIRST)
    assert image(standing) == FIRST
    assert ran.out == f"api runs {FIRST} (revision 2).\n"

    typed(standing, "deploy", "--yes", "--image", SECOND, "--env", "HOW=well")
    assert image(standing) == SECOND


def test_a_deploy_that_fails(standing: Standing) -> None:
    before = standing.service["taskDefinition"]

    ran = typed(standing, "deploy", "--yes", "--image", f"{SECOND}-bad", "--env", "HOW=EXIT=3", code=10)

    assert "ended with exit code 3" in ran.err
    assert standing.service["taskDefinition"] == before


def test_doctor_once_all_is_as_before(standing: Standing) -> None:
    (told,) = typed(standing, "doctor", "--json").lines

    assert told["first"] is None
    assert any("was rolled back" in one["note"] for one in told["checks"])


def test_releases(standing: Standing) -> None:
    (told,) = typed(standing, "releases", "--json").lines

    runs = [one["arn"] for one in told["releases"] if one["runs"]]
    assert runs == [standing.service["taskDefinition"]]
    assert [one["result"] for one in told["releases"]] == ["rolled back", "ok", "ok", "ok"]


def test_rollback(standing: Standing) -> None:
    typed(standing, "rollback", "--yes")
    assert image(standing) == FIRST
    ran = typed(standing, "rollback", "--yes", "--to", "3")
    assert image(standing) == SECOND
    assert ran.out == f"api runs {SECOND} (revision 3).\n"


def test_scale(standing: Standing) -> None:
    ran = typed(standing, "scale", "--yes", "--min", "3", "--max", "6")

    assert ran.out == "api is scaled between 3 and 6 tasks.\n"
    assert bounds(standing) == (3, 6)


def test_restart(standing: Standing) -> None:
    before = tasks(standing)

    ran = typed(standing, "restart", "--yes")

    assert ran.out == "api has new tasks (revision 3).\n"
    assert tasks(standing)
    assert not tasks(standing) & before


def test_run(standing: Standing) -> None:
    ran = typed(standing, "run", "--yes", "--", "migrate", "EXIT=4", code=4)

    assert ran.out.splitlines()[-1] == "ending with exit code 4"
    ecs, where = standing.aws("ecs"), {"cluster": standing.service["clusterArn"]}
    ended = ecs.list_tasks(**where, startedBy="ml-api-run", desiredStatus="STOPPED")["taskArns"]
    (one,) = ecs.describe_tasks(**where, tasks=ended)["tasks"]
    assert one["containers"][0]["exitCode"] == 4


def test_status(standing: Standing) -> None:
    (told,) = typed(standing, "status", "--json").lines

    assert told["well"] is True
    assert told["outputs"]["vpc_id"] == standing.vpc
    assert "3 of 3 run" in json.dumps(told["health"]["services"])


def test_logs(standing: Standing) -> None:
    out = typed(standing, "logs", "--filter", "starting").out

    assert f"starting {SECOND}" in out
    assert all(re.match(r"\S+Z api \w{8} ", line) for line in out.splitlines())


def test_report_and_graph(standing: Standing) -> None:
    ran = typed(standing, "report", "--html", "page.html")
    page = Path("page.html").read_text()

    assert ran.out == f"The report on {SUFFIX} is in page.html.\n"
    assert standing.vpc in page
    assert standing.secret not in page or "password" not in page
    for form, begins in (("mermaid", "flowchart"), ("dot", "digraph"), ("svg", "<svg")):
        assert typed(standing, "graph", "--format", form).out.startswith(begins)


def test_history_show_and_diff(standing: Standing) -> None:
    (told,) = typed(standing, "history", "--json").lines
    listed: list[dict[str, Any]] = told["runs"]

    assert [one["command"] for one in listed][-2:] == ["deploy", "apply"]
    assert {one["command"] for one in listed} == {"apply", "deploy", "rollback", "scale", "restart", "run"}
    (run,) = typed(standing, "show", "--json").lines
    assert (run["command"], run["exit_code"]) == ("run", 4)
    (differs,) = typed(standing, "diff", "--json").lines
    assert differs["type"] == "diff"
    assert "well" not in json.dumps([one["arguments"] for one in listed])


def test_open_and_completion(standing: Standing) -> None:
    url = standing.desk.well("outputs", "cloudfront_distribution_url").out
    assert typed(standing, "open", "--print").out == url
    for shell in ("bash", "zsh", "fish"):
        ran = standing.desk.process("completion", shell)
        assert f"_ML_API_COMPLETE={shell}_complete" in ran.out
