"""A stack that stands, looked at: by whole processes, and by one look after the other."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import sys
from collections.abc import Callable

import pytest

from provisioner.emulator.patches.cloudwatch_measures import measure
from provisioner.emulator.wire import ACCOUNT, AccountRegion
from provisioner.engine.calls.clock import Clock
from provisioner.terminal.console import Console
from provisioner.terminal.screen import Screen, fit_to_terminal
from tests.support.live_stack import SUFFIX, LiveStack

COLOR = re.compile(r"\x1b\[\d*(;\d+)*m")
# How often --watch looks in these tests: no other wait is as long.
EVERY = 77.0
OUTPUTS = [
    "alb_dns_name",
    "cloudfront_domain_name",
    "cloudfront_distribution_url",
    "rds_cluster_endpoint",
    "dynamodb_table_name",
    "ecs_cluster_name",
    "ecs_service_name",
    "vpc_id",
]


@pytest.mark.parametrize("command", ["apply", "teardown"])
def test_without_a_terminal_and_without_yes_nothing_happens(live_stack: LiveStack, command: str) -> None:
    user = live_stack.desk
    suffix = "new" if command == "apply" else SUFFIX
    mark = user.mark()

    ran = user.process(command, "--local", "--suffix", suffix)

    assert ran.code == 64
    assert "--yes" in ran.err
    assert user.tries(mark) == []


def test_a_yes_to_a_teardown_needs_the_suffix_on_the_command_line(live_stack: LiveStack) -> None:
    user = live_stack.desk
    mark = user.mark()

    ran = user.process("teardown", "--local", "--yes", ENVIRONMENT_SUFFIX=SUFFIX)

    assert ran.code == 64
    assert "--suffix" in ran.err
    assert user.tries(mark) == []


def test_the_suffix_may_come_from_the_environment_or_be_the_only_one(live_stack: LiveStack) -> None:
    for environment in ({"ENVIRONMENT_SUFFIX": SUFFIX}, {}):
        ran = dataclasses.replace(live_stack.desk, environment=environment).run("outputs", "vpc_id")
        assert (ran.code, ran.out) == (0, f"{live_stack.vpc}\n")


def test_outputs_in_every_form(live_stack: LiveStack) -> None:
    def told(*form: str) -> str:
        return live_stack.desk.well("outputs", *form).out

    values = json.loads(told("--format", "json"))
    assert list(values) == OUTPUTS
    assert [tuple(line.split()) for line in told().splitlines()[1:]] == list(values.items())
    assert told("--format", "env").splitlines() == [f"{k.upper()}={v}" for k, v in values.items()]
    assert told("--format", "github").splitlines() == [f"{k}={v}" for k, v in values.items()]
    assert told("alb_dns_name") == f"{values['alb_dns_name']}\n"
    assert told("vpc_id", "--format", "github") == f"vpc_id={values['vpc_id']}\n"
    assert json.loads(told("vpc_id", "--json"))["outputs"] == {"vpc_id": values["vpc_id"]}


def test_a_reader_who_leaves_early_does_no_harm(live_stack: LiveStack) -> None:
    with live_stack.desk.spawn("status", "--local", "--suffix", SUFFIX, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(timeout=60) == 0

    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_an_output_that_is_none_is_answered_with_those_there_are(live_stack: LiveStack) -> None:
    ran = live_stack.desk.run("outputs", "nonsense")

    assert ran.code == 64
    assert "alb_dns_name" in ran.err


def test_status_begins_with_the_verdict_and_ends_with_the_outputs(live_stack: LiveStack) -> None:
    ran = live_stack.desk.process("status", "--local")

    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "Everything is healthy."
    assert re.search(rf"^vpc_id +{live_stack.vpc}$", ran.out, re.MULTILINE)
    assert len(ran.out.splitlines()) < 35


@pytest.mark.parametrize("cached", [(), ("--cached",)])
def test_status_shows_every_resource_if_that_is_wanted(live_stack: LiveStack, cached: tuple[str, ...]) -> None:
    ran = live_stack.desk.process("status", "--local", "--resources", *cached)

    assert ran.code == 0, ran.err
    assert re.search(r"^service +Service .*arn:aws:ecs:.*/ml-api-service-prod$", ran.out, re.MULTILINE)
    assert len(ran.out.splitlines()) > 80


def test_list_shows_what_is_known_here(live_stack: LiveStack) -> None:
    ran = live_stack.desk.process("list")

    assert ran.code == 0
    assert ran.out.splitlines()[1].split()[:3] == [SUFFIX, "embedded", "us-east-1"]


def test_a_plan_tells_by_its_exit_code_when_asked(live_stack: LiveStack) -> None:
    user = live_stack.desk

    assert user.run("plan", "--suffix", SUFFIX, "--detailed-exitcode").code == 0
    assert user.run("plan", "--suffix", "new", "--detailed-exitcode").code == 2
    assert user.run("plan", "--suffix", "new").code == 0


@pytest.mark.parametrize(
    "arguments",
    [["plan", "--suffix", "new"], ["plan"], ["status"], ["outputs"], ["list"], ["apply", "--yes"]],
    ids=" ".join,
)
def test_json_lines_are_whole_and_versioned(live_stack: LiveStack, arguments: list[str]) -> None:
    user = dataclasses.replace(live_stack.desk, environment={"ENVIRONMENT_SUFFIX": SUFFIX})

    ran = user.run(*arguments, "--json")

    assert ran.code == 0, ran.err
    assert ran.lines
    for line in ran.lines:
        assert line["format_version"] == 1
        assert line["type"]


def test_quiet_leaves_only_the_answer(live_stack: LiveStack) -> None:
    ran = live_stack.desk.run("plan", "--quiet", "--suffix", SUFFIX)

    assert (ran.out, ran.err) == ("No changes.\n", "")


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--no-color"], {"FORCE_COLOR": "1"}, False),
    ],
    ids=["a pipe", "forced", "NO_COLOR", "--no-color"],
)
def test_colours_are_for_those_who_want_them(
    live_stack: LiveStack, arguments: list[str], environment: dict[str, str], colored: bool
) -> None:
    ran = live_stack.desk.process("plan", "--local", "--suffix", "new", *arguments, **environment)

    assert ran.code == 0, ran.err
    assert bool(COLOR.search(ran.out + ran.err)) is colored


# How the stack is now, and one look after the other.


def test_all_is_well(live_stack: LiveStack) -> None:
    ran = live_stack.desk.well("status")

    assert ran.out.startswith("Everything is healthy.\n")
    for told in (
        r"^  targets +tg +2 of 2 healthy$",
        r"^  services +service +2 of 2 run; ml-api-taskdef-prod:1$",
        r"^  edge +edge +Deployed; ",
        r"^  events .*Z +has reached a steady state.$",
    ):
        assert re.search(told, ran.out, re.MULTILINE), told


def test_the_capacity_of_the_database_is_what_cloudwatch_measures_now(live_stack: LiveStack) -> None:
    writer = live_stack.aws("rds").describe_db_instances()["DBInstances"][0]["DBInstanceIdentifier"]
    where = AccountRegion(ACCOUNT, "us-east-1")
    measure(where, "AWS/RDS", "ServerlessDatabaseCapacity", 1.5, DBInstanceIdentifier=writer)

    (line,) = live_stack.desk.well("status", "--json").lines

    assert (line["well"], line["format_version"]) == (True, 1)
    assert [one.get("acu") for one in line["health"]["database"]][-1] == 1.5
    assert line["outputs"]["vpc_id"] == live_stack.vpc
    assert len(line["resources"]) > 70


def test_a_part_that_may_not_be_asked_is_unknown_and_the_rest_goes_on(live_stack: LiveStack) -> None:
    denied = ("elbv2:DescribeTargetHealth", "dynamodb:DescribeTable")
    live_stack.desk.box.faults(*({"operation": one, "fault": "access_denied", "times": 1} for one in denied))

    ran = live_stack.desk.run("status")

    assert ran.code == 1
    for told in (
        r"^\? targets +tg +unknown: DescribeTargetHealth answered AccessDenied",
        r"^\? table +sessions +unknown: DescribeTable answered AccessDenied",
        r"^  services +service +2 of 2 run",
    ):
        assert re.search(told, ran.out, re.MULTILINE), told
    assert "Unknown: targets, table; 2 resources are missing, not ready or unknown: sessions, tg." in ran.out


def test_expired_credentials_end_the_look(live_stack: LiveStack) -> None:
    live_stack.desk.box.faults({"operation": "elbv2:DescribeTargetHealth", "fault": "expired", "times": 9})
    try:
        ran = live_stack.desk.run("status")
    finally:
        live_stack.desk.box.faults()

    assert (ran.code, ran.out) == (3, "")
    assert "does not accept these credentials" in ran.err


def test_what_does_not_fit_is_counted_and_the_first_lines_stay() -> None:
    lines = [(f"line {n}", "") for n in range(10)]

    assert [text for text, _ in fit_to_terminal(lines, 80, 6)] == ["line 0", "line 1", "line 2", "... 7 lines more"]
    assert fit_to_terminal(lines, 80, 12) == lines


class Terminal:
    """Takes what is written, and says that it is one."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing waits."""


def test_on_a_terminal_each_picture_takes_the_place_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(Console())

    screen.show([("one", "red")])
    screen.show([("two", "")])

    assert terminal.text == "\033[H\033[2J\033[31mone\033[0m\033[K\n\033[J\n\033[Htwo\033[K\n\033[J\n"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """Let Ctrl-C be pressed after so many looks, and something be done between two."""

    def arrange(count: int, between: Callable[[], None] = lambda: None) -> None:
        waited: list[float] = []
        truly = Clock.sleep

        def sleep(clock: Clock, seconds: float) -> None:
            if seconds != EVERY:
                truly(clock, seconds)
                return
            waited.append(seconds)
            if len(waited) == count:
                raise KeyboardInterrupt
            between()

        monkeypatch.setattr(Clock, "sleep", sleep)

    return arrange


def test_without_a_terminal_one_look_follows_the_other(live_stack: LiveStack, looks: Callable[..., None]) -> None:
    looks(2)

    ran = live_stack.desk.run("status", "--watch", "--every", f"{EVERY:.0f}s")

    assert ran.code == 130
    assert ran.err == ""
    assert ran.out.count("Everything is healthy.") == 2
    assert "\033" not in ran.out
    assert "TaskDefinition" not in ran.out


def test_what_is_amiss_is_named(live_stack: LiveStack, looks: Callable[..., None]) -> None:
    looks(1)
    live_stack.desk.box.faults({"operation": "dynamodb:DescribeTimeToLive", "fault": "access_denied"})

    ran = live_stack.desk.run("status", "--watch", "--every", f"{EVERY:.0f}s")

    assert "! sessions-ttl  TimeToLive  unknown: DescribeTimeToLive answered AccessDenied" in ran.out
    assert "Everything is healthy." not in ran.out


def test_each_look_is_a_json_line(live_stack: LiveStack, looks: Callable[..., None]) -> None:
    looks(2)

    ran = live_stack.desk.run("status", "--watch", "--json", "--every", f"{EVERY:.0f}s")

    assert [line["well"] for line in ran.lines] == [True, True]


def test_a_stack_that_goes_meanwhile_ends_it(live_stack: LiveStack, looks: Callable[..., None]) -> None:
    ledger = live_stack.desk.ledger(SUFFIX)
    aside = ledger.with_suffix(".aside")
    looks(3, lambda: os.replace(ledger, aside))
    try:
        ran = live_stack.desk.run("status", "--watch", "--every", f"{EVERY:.0f}s")
    finally:
        os.replace(aside, ledger)

    assert ran.code == 6
    assert "is known any more" in ran.err


def test_it_is_one_stack_in_aws_that_is_watched(live_stack: LiveStack) -> None:
    assert live_stack.desk.run("status", "--watch", "--cached").code == 64


def test_a_process_is_watched_until_ctrl_c(live_stack: LiveStack) -> None:
    with live_stack.desk.spawn("status", "--local", "--watch", "--every", "0s") as process:
        assert process.stdout
        assert process.stderr
        seen = 0
        while seen < 2:
            seen += process.stdout.readline() == "Everything is healthy.\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == ""
