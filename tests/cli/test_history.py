"""Looking back at runs: what `history`, `show` and `diff` tell, and of what is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.commands.redaction import redact_arguments
from provisioner.engine.runs.run import UNENDED, CallSummary, run_of
from provisioner.engine.runs.run_diff import diff_runs
from state.run_store import FileRunStore
from tests.support.user import CommandResult, User

PLACE = {"account": "123456789012", "partition": "aws", "region": "us-east-1", "endpoint": "embedded:x"}
ROW = re.compile(
    r"^\d{8}T\d{6}\.\d{3}Z  +prod  +(\w+)  +\S+@\S+  +user/moto  +(.+?)  +\S+ (?:s|min .*)  +(\S+)  +(.*)$"
)


def record(**more: Any) -> dict[str, Any]:
    """An apply that made a network; AWS held one call up."""
    moments = [[1.0, "starting"], [1.5, "retrying", 0.2, "busy"], [2.0, "exists"], [4.0, "ready"]]
    vpc = {
        "kind": "Vpc",
        "region": "",
        "piece": "vpc",
        "verb": "create",
        "end": "ready",
        "id": "vpc-1",
        "waits": 1,
    }
    calls = [
        [0.1, 0.2, "ec2:DescribeVpcs", "", ""],
        [1.9, 0.1, "ec2:CreateVpc", "vpc", ""],
        [1.1, 0.3, "ec2:CreateVpc", "vpc", "Throttling"],
    ]
    told: dict[str, Any] = {"suffix": "prod", "command": "apply", "arguments": ["apply", "--yes"], "who": "ada@here"}
    told |= {"place": PLACE, "start": 1e9, "seconds": 10.0, "result": "ok", "exit_code": 0, "message": ""}
    told |= {"plan": {"add": 1, "change": 0}, "settings": {"network.zones": 3, "image": "mine:1"}}
    return {**told, "nodes": {"vpc": {**vpc, "moments": moments}}, "calls": calls, **more}


def test_calls_are_summed_by_service_and_one_that_follows_a_refusal_is_a_retry() -> None:
    assert run_of("r", record()).calls == {"ec2": CallSummary(3, 1, 1, 1, 0.6)}


def test_only_the_same_call_for_the_same_resource_is_a_retry_and_only_until_it_went_well() -> None:
    calls = [
        [1.0, 0.1, "ec2:CreateVpc", "vpc", "Throttling"],
        [2.0, 0.1, "ec2:CreateVpc", "other", ""],
        [3.0, 0.1, "ec2:CreateVpc", "vpc", ""],
        [4.0, 0.1, "ec2:CreateVpc", "vpc", ""],
        [5.0, 0.1, "ecs:CreateCluster", "cluster", "AccessDenied"],
    ]

    told = run_of("r", record(calls=calls)).calls

    assert told == {"ec2": CallSummary(4, 1, 1, 1, 0.4), "ecs": CallSummary(1, 0, 1, 0, 0.1)}


def test_a_resource_is_told_with_its_stages_and_how_long_it_took() -> None:
    (part,) = run_of("r", record()).resources

    assert part.stages == (("starting", 1.0), ("exists", 2.0), ("ready", 4.0))
    assert (part.seconds, part.waits) == (3.0, 1)


def test_what_differs_between_two_runs_is_told_and_nothing_else() -> None:
    slower = record()["nodes"]["vpc"] | {"moments": [[1.0, "starting"], [9.0, "ready"]]}
    other = record(
        arguments=["apply", "--yes", "--set", "network.zones=2"],
        settings={"network.zones": 2, "image": "mine:1"},
        plan={"add": 1, "change": 2},
        nodes={"vpc": slower, "igw": record()["nodes"]["vpc"]},
        result="incomplete",
        message="igw failed.",
    )

    found = diff_runs(run_of("1", record()), run_of("2", other))

    assert found.settings == {"network.zones": (3, 2)}
    assert found.plan == {"change": (None, 2)}
    assert found.steps == {"igw": (None, "create, ready")}
    assert found.seconds == {"vpc": (3.0, 8.0)}
    assert found.calls == {}
    assert found.result == {"result": ("ok", "incomplete"), "message": ("", "igw failed.")}


def test_a_run_does_not_differ_from_itself() -> None:
    run = run_of("1", record())
    found = diff_runs(run, run)

    assert found.typed is None
    assert not any((found.settings, found.plan, found.steps, found.seconds, found.calls, found.result))


@pytest.fixture(scope="module")
def before(served: Any, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Someone who has brought a stack up, changed it, and taken it down; the stack of a colleague failed."""
    user = User.before(served, tmp_path_factory.mktemp("past") / "home")
    user.well("apply", "--yes", "--suffix", "prod")
    secret = 'container.environment={"TOKEN":"hush"}'
    user.well("apply", "--yes", "--suffix", "prod", "--set", "logs.days=60", "--set", secret)
    user.teardown("prod")
    return user


def rows(ran: CommandResult) -> list[str]:
    """The lines of a table, without its head."""
    return ran.out.splitlines()[1:]


def test_history_outlives_the_stack(before: User) -> None:
    shown = rows(before.well("history", "--suffix", "prod"))

    told = [found.groups() for line in shown if (found := ROW.match(line))]
    assert [(command, result) for command, _, result, _ in told] == [
        ("teardown", "ok"), ("apply", "ok"), ("apply", "ok")
    ]  # fmt: skip
    assert re.fullmatch(r"\d+ to destroy", told[0][1])
    assert re.fullmatch(r"\d+ to add, 4 of the account's own roles", told[2][1])
    assert "--set logs.days=60" in told[1][3]


def test_history_for_a_program_holds_no_secret(before: User) -> None:
    (told,) = before.well("history", "--json").lines

    assert [run["command"] for run in told["runs"]] == ["teardown", "apply", "apply"]
    assert all(run["seconds"] > 0 and run["exit_code"] == 0 for run in told["runs"])
    assert "hush" not in json.dumps(told)


def test_show_tells_the_plan_the_resources_and_the_calls(before: User) -> None:
    out = before.well("show", "last~2", "--suffix", "prod").out

    assert re.search(r"^  plan   \d+ to add, 4 of the account's own roles$", out, re.MULTILINE)
    stages = r"starting .* exists .* ready"
    assert re.search(rf"^vpc/nat-1 +NatGateway +create +ready .*{stages} ", out, re.MULTILINE)
    assert re.search(r"^ec2 +\d+ ", out, re.MULTILINE)
    assert out.splitlines()[-1].endswith(": ok, exit code 0.")


def test_a_run_is_found_by_the_beginning_of_its_name(before: User) -> None:
    (newest,) = before.well("show", "--json").lines
    (again,) = before.well("show", newest["run"][:-1], "--json").lines

    assert again == newest
    assert newest["command"] == "teardown"


def test_diff_tells_which_setting_made_the_difference(before: User) -> None:
    (told,) = before.well("diff", "last~2", "last~1", "--suffix", "prod", "--json").lines

    assert told["settings"] == {"logs.days": [30, 60]}
    assert "logs.days=60" in told["typed"][1]
    assert "hush" not in json.dumps(told)
    assert "  logs.days: " in before.well("diff", "last~2", "last~1").out
    assert before.well("diff", "last", "last").out.splitlines()[-1] == "Nothing differs except the duration."


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["history", "--suffix", "prodd"], 6, "Did you mean `--suffix prod`?"),
        (["timeline", "--suffix", "prodd"], 6, "Did you mean `--suffix prod`?"),
        (["show", "last", "--suffix", "nobody"], 6, "There are runs of: prod; "),
        (["show", "last~9"], 64, "There is no run last~9: 3 are recorded."),
        (["show", "2"], 64, "3 runs begin with 2: "),
        (["diff", "last", "20x", "--suffix", "prod"], 64, "There is no run 20x of prod."),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(before: User, arguments: list[str], code: int, told: str) -> None:
    ran = before.run(*arguments)

    assert ran.code == code
    assert told in ran.err
    assert ran.out == ""


def test_a_killed_run_did_not_end_and_a_damaged_record_hides_no_other(user: User) -> None:
    runs = FileRunStore(user.home / "embedded" / "runs")
    runs.save(runs.new_record("prod", 1e9), record(result="running", end=None, exit_code=None))
    damaged = runs.new_record("prod", 1e9 + 1)
    runs.save(damaged, {})
    Path(damaged.path).write_text("{")

    ran = user.run("history")

    assert ran.code == 1
    assert UNENDED in rows(ran)[0]
    assert str(damaged.path) in ran.err
    assert UNENDED in user.well("show", "last").out


def test_the_process_says_what_there_is_and_what_there_is_not(before: User) -> None:
    assert len(rows(before.process("history", "--local", "--suffix", "prod"))) == 3

    ran = before.process("diff", "--suffix", "prod")
    assert (ran.code, ran.out) == (6, "")
    assert "apply" in ran.err
    assert "Traceback" not in ran.err


def test_a_stack_that_was_only_mistyped_leaves_no_record(user: User) -> None:
    assert user.run("teardown", "--yes", "--suffix", "prood").code == 6
    assert user.run("history").code == 6


def test_what_was_typed_is_kept_without_what_opens_a_door() -> None:
    words = ("psql", "postgres://u:pw@h/db", "-p", "pw", "-ppw", "--api-key=pw", "TOKEN=pw", "pw")

    assert redact_arguments(["run", "--yes", "--", *words], words) == ["run", "--yes", "--", "psql", "(7 not kept)"]
    assert redact_arguments(["run", *words, "--yes"], words) == ["run", "--yes", "--", "psql", "(7 not kept)"]
    assert redact_arguments(["run", "psql", "--", "-p", "pw"], ("psql", "-p", "pw"))[1:] == [
        *("--", "psql", "(2 not kept)")
    ]
    for sort_of_program in ("TOKEN=pw", "-ppw", "psql -p pw"):
        assert "pw" not in " ".join(redact_arguments(["exec", "--", sort_of_program], (sort_of_program,)))


def test_of_what_was_typed_the_settings_of_variables_are_not_kept() -> None:
    nested = '{"a": {"prefixes": ["/a"], "environment": {"X": "pw"}}}'
    told = redact_arguments(["apply", "--set", f"api.services={nested}", "--set=container.environment.X=pw"])

    assert told == ["apply", "--set", "api.services=(not kept)", "--set=container.environment.X=(not kept)"]
    assert redact_arguments(["deploy", "--image", "r.example:80/a:1"]) == ["deploy", "--image", "r.example:80/a:1"]


def test_a_timeline_is_of_the_last_run_with_steps_or_of_the_run_that_is_named(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "prod")
    user.well("apply", "--yes", "--suffix", "prod")  # nothing to do

    (last,) = user.well("timeline", "--suffix", "prod", "--json").lines
    (named,) = user.well("timeline", "--suffix", "prod", "last", "--json").lines
    (before,) = user.well("timeline", "--suffix", "prod", "last~1", "--json").lines

    assert (len(last["bars"]) > 50, named["bars"], before["bars"]) == (True, [], last["bars"])
    assert user.run("timeline", "--suffix", "prod", "nothing").code == 64
