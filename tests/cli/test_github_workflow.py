"""The workflow for GitHub Actions: its commands run against the local AWS, as its jobs would run them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.commands.output_files import OUTPUT, SUMMARY, set_job_outputs
from provisioner.engine.planning.drift import Drift, DriftReport
from provisioner.engine.runs.run import run_of
from provisioner.terminal.markdown import drift_markdown, run_markdown
from tests.support.account_inventory import client
from tests.support.report_pages import record
from tests.support.user import ROOT, CommandResult, User

WORKFLOW = ROOT / "examples" / "github-actions" / "ml-api.yml"
GUIDE = ROOT / "docs" / "how-to" / "pipelines.md"
ACCOUNT = "123456789012"
# What the runner puts in place of these.
KNOWN = {
    "github.token": "t0ken",
    "github.repository": "my-org/my-repo",
    "github.event.pull_request.number": "7",
    "steps.apply.outputs.cloudfront_distribution_url": "https://d1.example",
}
OURS, THEIRS = "ml-api", {"pip", "gh", "curl"}
# The step that is a script, and the place in the guide of the command that makes each job's role.
ISSUE = "Tell of the drift"
BOOTSTRAPS = {"apply": 1, "plan": 2, "drift": 3}
Steps = list[tuple[str, dict[str, str]]]


def workflow() -> dict[str, Any]:
    return dict(yaml.safe_load(WORKFLOW.read_text()))


def filled_repositories(text: str) -> str:
    """The text as the runner fills it in; a KeyError where this test does not know how."""
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: KNOWN[found[1]], text)


def steps(job: str) -> Steps:
    """The commands of a job, each with its environment."""
    told = workflow()
    common = {name: filled_repositories(value) for name, value in told["env"].items()} | {"ACCOUNT": ACCOUNT}
    listed = [step for step in told["jobs"][job]["steps"] if "run" in step and step.get("name") != ISSUE]
    return [
        (step["run"], common | {name: filled_repositories(str(value)) for name, value in step.get("env", {}).items()})
        for step in listed
    ]


def in_guide() -> Steps:
    """The commands of the guide's first block, each with what was exported before it."""
    (block,) = re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    given: dict[str, str] = {}
    found = []
    for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        words = shlex.split(line)
        if words[0] == "export":
            given |= dict(word.split("=", 1) for word in words[1:])
        else:
            found.append((line, dict(given)))
    return found


class Runner:
    """A runner that keeps the files it gives to each step."""

    def __init__(self, user: User, folder: Path) -> None:
        self.desk, self.summary, self.output = user, folder / "summary.md", folder / "output"

    def job(self, listed: Steps) -> list[CommandResult]:
        return [ran for one in listed for ran in self._step(*one)]

    def bounded(self, name: str) -> list[CommandResult]:
        """A job of the workflow with the rights of its role, and no more."""
        (command, environment) = in_guide()[BOOTSTRAPS[name]]
        (ran,) = self.job([(command.replace("--yes", f"--json --expect-account {ACCOUNT}"), environment)])
        self.desk.box.authorise(*ran.lines[0]["policies"].values())
        try:
            return self.job(steps(name))
        finally:
            self.desk.box.authorise()

    def _step(self, command: str, environment: dict[str, str]) -> Iterator[CommandResult]:
        words = [_expanded(word, environment) for word in shlex.split(command)]
        assert words[0] in {OURS, *THEIRS}
        if words[0] == OURS:
            files = {SUMMARY: str(self.summary), OUTPUT: str(self.output)}
            self.desk.environment = {**environment, **files, "MLAPI_PROFILE": "seed"}
            yield self.desk.run(*words[1:])

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


def _expanded(word: str, environment: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: environment[found[1]], word)


@pytest.fixture(scope="module")
def team(served: Any, tmp_path_factory: pytest.TempPathFactory) -> User:
    """An administrator who has done what the guide says."""
    user = User.before(served, tmp_path_factory.mktemp("github") / "home")
    for ran in Runner(user, tmp_path_factory.mktemp("files")).job(in_guide()):
        assert ran.code == 0, ran.err
    return user


@pytest.fixture
def runner(team: User, tmp_path: Path) -> Runner:
    return Runner(team, tmp_path)


def test_a_pull_request_is_planned_and_commented_and_changes_nothing(runner: Runner) -> None:
    mark = runner.desk.mark()

    (ran,) = runner.bounded("plan")

    assert (ran.code, runner.desk.acts(mark)) == (0, []), ran.err
    told = Path("plan.md").read_text()
    assert told == runner.summary.read_text()[:-1]
    assert re.match(
        r"### Plan of `prod`\n\n\*\*Plan: \d+ to add, 0 to change, 0 to destroy, and 4 of the account's own "
        r"roles\.\*\*",
        told,
    )
    assert "\n+ create vpc/vpc: Vpc ml-api-vpc-prod\n" in told
    assert "USD a month" in told
    assert int(runner.outputs["changes"]) > 60  # the small stack: a larger one takes longer alone


@pytest.mark.slow
def test_what_is_merged_is_applied_and_what_stands_is_reported_then_looked_at_for_drift(
    runner: Runner,
) -> None:
    applied, reported = runner.bounded("apply")

    assert (applied.code, reported.code) == (0, 0), applied.err + reported.err
    assert runner.outputs["cloudfront_distribution_url"].startswith("https://")
    summary = runner.summary.read_text()
    assert re.search(r"^### apply of `prod`: ok$", summary, re.MULTILINE)
    assert f"| `vpc_id` | `{runner.outputs['vpc_id']}` |" in summary
    assert "Everything is healthy" in Path("report.html").read_text()

    runner.output.write_text("")
    (drift,) = runner.bounded("drift")
    assert (drift.code, runner.outputs) == (0, {"drift": "0"})
    assert "**No drift.**" in Path("drift.md").read_text()


def delete_log_group(user: User) -> None:
    """Delete the balancer's log group as a person might, if one of the jobs has created it."""
    logs = client(user.box.endpoint, "logs")
    with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName="/aws/alb/ml-api-prod")


def test_drift_ends_with_2_and_says_how_much(runner: Runner) -> None:
    runner.desk.environment = {}
    (told,) = runner.job([("ml-api apply --yes", steps("apply")[0][1])])
    assert told.code == 0
    delete_log_group(runner.desk)

    (drift,) = runner.job(steps("drift"))

    assert drift.code == 2
    assert int(runner.outputs["drift"]) > 0
    assert "- gone logs/alb-logs: LogGroup /aws/alb/ml-api-prod" in Path("drift.md").read_text()


def test_a_run_that_failed_is_told_with_what_failed_and_why() -> None:
    doc = record(result="incomplete", message="1 failed.")
    doc["nodes"]["vpc"] |= {"end": "failed", "moments": [[1.0, "starting"], [2.0, "failed", 0, "a `b`"]]}

    text = run_markdown(run_of("", doc), {})

    head = "### apply of `prod`: incomplete\n\n2 to add in 10.0 s, by ada@here as user/ada\n\n1 failed."
    assert text.startswith(head)
    assert "```diff\n- vpc/vpc: a `b`\n```" in text


@pytest.mark.slow
def test_a_run_that_fails_says_so_in_the_summary(runner: Runner) -> None:
    delete_log_group(runner.desk)  # where another job has applied, it stands
    runner.desk.box.faults({"operation": "logs:CreateLogGroup", "fault": "access_denied", "times": 9})

    (ran, _) = runner.job(steps("apply"))

    runner.desk.box.faults()
    assert ran.code == 4
    summary = runner.summary.read_text()
    assert "### apply of `prod`: incomplete" in summary
    assert re.search(r"^- logs/alb-logs: .*AccessDenied", summary, re.MULTILINE)


def test_only_the_runs_that_are_meant_may_do_what_each_job_does(team: User) -> None:
    from tests.support.account_inventory import client

    told, iam = workflow(), client(team.box.endpoint, "iam")
    for job, sort in (
        ("plan", "pull_request"),
        ("apply", "environment:production"),
        ("drift", "ref:refs/heads/main"),
    ):
        (role,) = [step["with"]["role-to-assume"] for step in told["jobs"][job]["steps"] if "role" in str(step)]
        trust = iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        subject = trust["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        assert subject == f"repo:my-org/my-repo:{sort}"
        assert told["jobs"][job]["permissions"]["id-token"] == "write"
        environment = told["jobs"][job].get("environment")
        assert environment == (sort.partition(":")[2] if sort.startswith("environment:") else None)
    assert told["permissions"] == {}


# `gh`, as far as the step uses it: one folder of open issues, a file each.
FAKE_GH = """#!/bin/sh
cd "$ISSUES" || exit 1
echo "$@" >> log
case "$1 $2" in
  "label create") ;;
  "issue list") ls | grep -x '[0-9]*' | head -n 1 ;;
  "issue create") echo "$8" > 7; cat "$HERE/$8" >> 7 ;;
  "issue edit") cat "$HERE/$5" > "$3" ;;
  "issue close") rm "$3" ;;
  *) exit 1 ;;
esac
"""


def test_one_issue_is_open_as_long_as_there_is_drift(tmp_path: Path) -> None:
    (step,) = [step for step in workflow()["jobs"]["drift"]["steps"] if step.get("name") == ISSUE]
    issues = tmp_path / "issues"
    issues.mkdir()
    (tmp_path / "gh").write_text(FAKE_GH)
    (tmp_path / "gh").chmod(0o755)
    known = {"ISSUES": str(issues), "HERE": str(tmp_path), "LABEL": "drift-prod", "ENVIRONMENT_SUFFIX": "prod"}
    known |= {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    open_issues = []

    for drift in ("0", "2", "3", "0", "0"):
        (tmp_path / "drift.md").write_text(f"drift: {drift}\n")
        shell = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
        subprocess.run(shell, cwd=tmp_path, env={**known, "DRIFT": drift}, check=True, capture_output=True)
        open_issues.append([file.read_text().splitlines()[-1] for file in issues.glob("[0-9]*")])

    assert open_issues == [[], ["drift: 2"], ["drift: 3"], [], []]
    assert "steps.drift.outputs.drift" in step["if"]  # without a report there is nothing to tell


def test_a_file_that_cannot_be_written_stops_nothing_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OUTPUT, str(tmp_path / "no" / "file"))
    told: list[str] = []

    set_job_outputs({"a": "b"}, lambda message, _: told.append(message))

    assert told == [f"{OUTPUT} cannot be written: No such file or directory."]


def test_a_value_of_several_lines_sets_no_other_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "output"
    monkeypatch.setenv(OUTPUT, str(file))

    set_job_outputs({"a": "1\nb=2", "c": 3}, lambda *_: None)

    first, *middle, last, end = file.read_text().splitlines()
    assert re.fullmatch(r"a<<(end-\S+)", first)
    assert (middle, f"a<<{last}", end) == (["1", "b=2"], first, "c=3")


def test_markdown_stays_a_block_whatever_is_in_it_and_fits_into_a_comment() -> None:
    odd = Drift("altered", "n", "p", "Kind", "```", "i", "a remedy\n```\n<img src=x>")

    text = drift_markdown(DriftReport("prod", [odd] * 4000), "Drift: 4000 *changed*.")

    assert len(text) < 65_536
    head, block, end = text.split("````")
    assert head.endswith("**Drift: 4000 \\*changed\\*.**\n\n")
    assert block.startswith("diff\n! altered p/n: Kind ```")
    assert re.search(r"… and \d+ more lines\n$", block)
    assert end == "\n"


@pytest.mark.slow
@pytest.mark.parametrize("job", ["plan", "apply", "drift"])
def test_a_job_runs_in_a_shell_as_on_a_runner(user: User, tmp_path: Path, job: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    heard = tmp_path / "heard"
    for name in THEIRS:
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {heard}\n')
    (tools / OURS).write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "cli.py"} "$@" --local\n')
    for file in tools.iterdir():
        file.chmod(0o755)
    known = {"MLAPI_HOME": str(user.home), "PATH": f"{tools}:{os.environ['PATH']}"}
    known |= {SUMMARY: str(tmp_path / "summary.md"), OUTPUT: str(tmp_path / "output")}
    first: Steps = [*in_guide(), *(steps("apply") if job == "drift" else [])]

    for command, given in [*first, *steps(job)]:
        # https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax: shell
        shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", command]
        environment = {**os.environ, **given, **known}
        ran = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, (command, ran.stderr)

    assert json.dumps(heard.read_text()).count("pip install") >= 1
