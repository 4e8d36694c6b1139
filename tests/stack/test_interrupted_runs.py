"""A run that is interrupted, killed or not alone: what was done is recorded, and the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from provisioner.commands import plan_execution
from provisioner.commands.signals import handle_signals
from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import clock
from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.planning.plan import Plan
from provisioner.errors import Interrupted
from provisioner.terminal.console import Console
from tests.support.account_inventory import Found, client, inventory
from tests.support.manual_changes import settle
from tests.support.paused_replies import held
from tests.support.user import ROOT, User

# A process that is signalled while it holds the locks of what it says and of how it sleeps.
SIGNALLED = """
import os, signal
from provisioner.commands.signals import handle_signals
from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.terminal.console import Console

say, clock = Console(), Clock()
with handle_signals(say, clock) as caught:
    with say._lock, clock._stop._cond:
        os.kill(os.getpid(), signal.SIGTERM)
    try:
        clock.sleep(9)
    except Stopped:
        print(caught)
"""

# NAT gateways take AWS about 100 s: with this pace an apply takes long enough to be met in the middle.
PACE = 0.05


@contextmanager
def in_the_middle(user: User, command: str, after: str, pace: float = PACE) -> Iterator[subprocess.Popen[str]]:
    """A command that has told of one finished step and still has others to do."""
    user.slow(pace)
    with user.spawn(command, "--local", "--yes", "--suffix", "a") as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith(after):
                break
        try:
            yield process
        finally:
            process.kill()
    user.slow(0.0)


def counts(found: Found) -> dict[str, int]:
    """How many there are of each kind."""
    return {type_name: len(held) for type_name, held in found.items() if held}


@pytest.fixture(scope="module")
def whole(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many of each kind a whole stack has."""
    User.before(served, tmp_path_factory.mktemp("whole")).apply("a")
    return counts(inventory(served.endpoint))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_ends_an_apply_softly_and_the_next_goes_on(
    whole: dict[str, int], user: User, number: signal.Signals, code: int
) -> None:
    with in_the_middle(user, "apply", "vpc: ready") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    assert "Run the same command again" in err
    assert "Traceback" not in err
    assert "vpc_id" not in out
    settle(lambda: inventory(user.box.endpoint))
    made = counts(inventory(user.box.endpoint))
    assert made["vpc"] == whole["vpc"]
    assert made != whole
    user.apply("a")
    assert counts(inventory(user.box.endpoint)) == whole


@pytest.mark.slow
def test_a_signal_ends_a_teardown_softly_and_the_next_goes_on(user: User) -> None:
    empty = counts(inventory(user.box.endpoint))
    user.apply("a")

    with in_the_middle(user, "teardown", "sessions: gone", pace=0.01) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert user.ledger("a").exists()
    user.teardown("a")
    assert counts(inventory(user.box.endpoint)) == empty


@pytest.mark.slow
def test_a_killed_apply_is_taken_up_where_it_was(whole: dict[str, int], user: User) -> None:
    with in_the_middle(user, "apply", "vpc: ready") as process:
        process.kill()
        process.communicate(timeout=60)

    assert process.returncode == -signal.SIGKILL
    user.apply("a")
    assert counts(inventory(user.box.endpoint)) == whole


def test_a_second_run_is_refused_while_one_holds_the_stack(user: User) -> None:
    with in_the_middle(user, "apply", "vpc: ready") as process:
        process.send_signal(signal.SIGSTOP)  # however slow this machine is, it does not end meanwhile
        for command in ("apply", "teardown"):
            ran = user.process(command, "--local", "--yes", "--suffix", "a")
            assert ran.code == 7, ran.err
            assert f"process {process.pid}" in ran.err
            assert "--lock-timeout" in ran.err
        assert process.poll() is None
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.slow
def test_neither_a_plan_nor_another_stack_is_held_up(user: User) -> None:
    with in_the_middle(user, "apply", "vpc: ready") as process:
        process.send_signal(signal.SIGSTOP)
        assert user.process("plan", "--local", "--suffix", "a").code == 0
        assert user.process("plan", "--local", "--suffix", "b").code == 0
        assert process.poll() is None


@pytest.mark.slow
def test_one_may_wait_for_the_other_to_end(user: User) -> None:
    with in_the_middle(user, "apply", "vpc: ready") as process:
        waiting = user.spawn("apply", "--local", "--yes", "--suffix", "a", "--lock-timeout", "1m")
        with waiting:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            user.slow(0.0)
            _, err = waiting.communicate(timeout=60)

    assert process.returncode == 130
    assert waiting.returncode == 0, err


@pytest.mark.parametrize(
    ("owner", "part"),
    [
        pytest.param("alb-logs", "alb-logs-retention", marks=pytest.mark.slow),
        pytest.param("sessions", "sessions-ttl", marks=pytest.mark.slow),
        pytest.param("execution-role", "execution-role-start", marks=pytest.mark.slow),
    ],
)
def test_what_was_meant_but_never_called_is_not_taken_for_done(user: User, owner: str, part: str) -> None:
    """Killed between the intent and its call, in a thing that AWS tells as soon as its owner exists."""
    user.apply("a")
    user.box.behave(behaviours=False, speed=0.0)
    _undo(user, owner)
    known = user.known("a")
    for name in (owner, part):
        intent = {"verb": "create", "token": "0" * 32, "at": 0.0}
        known["entries"][name] |= {"id": "", "phase": "creating", "confirmed": None, "intent": intent}
    user.ledger("a").write_text(json.dumps(known))

    user.apply("a")


@pytest.mark.slow
def test_what_a_killed_run_has_just_made_and_confirmed_may_still_hide(user: User) -> None:
    """The next run looks at it as at something old; a call that names it is refused once."""
    user.apply("a")
    group = "/aws/alb/ml-api-a"
    logs = client(user.box.endpoint, "logs")
    logs.delete_retention_policy(logGroupName=group)
    known = user.known("a")
    known["entries"]["alb-logs"]["made"] = time.time()
    user.ledger("a").write_text(json.dumps(known))
    kind = next(one for one in lag.LAG_RULES if one.create == "CreateLogGroup")
    fresh = lag.Hidden(kind, group, created_at=clock.now() + 60, reads=0, uses=1)
    fresh.until = 0.0
    lag.hidden_resources.at("123456789012", "us-east-1")[group] = fresh

    mark = user.mark()
    user.apply("a")

    assert user.tries(mark) == ["logs:PutRetentionPolicy"] * 2


def _undo(user: User, owner: str) -> None:
    """Delete what a node stands for, as if it had never been."""
    endpoint = user.box.endpoint
    if owner == "alb-logs":
        client(endpoint, "logs").delete_log_group(logGroupName="/aws/alb/ml-api-a")
    elif owner == "sessions":
        client(endpoint, "dynamodb").delete_table(TableName="ml-api-sessions-a")
    else:
        iam = client(endpoint, "iam")
        for name in iam.list_role_policies(RoleName="ml-api-execution-role-a")["PolicyNames"]:
            iam.delete_role_policy(RoleName="ml-api-execution-role-a", PolicyName=name)
        iam.delete_role(RoleName="ml-api-execution-role-a")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_cuts_short_what_is_no_nodes_ends_with_its_own_code(number: signal.Signals, code: int) -> None:
    clock = Clock()

    def waits() -> None:
        os.kill(os.getpid(), number)
        clock.sleep(60)

    with pytest.raises(Interrupted) as caught, handle_signals(Console(quiet=True), clock), user_errors("sweeping"):
        waits()

    assert caught.value.exit_code == code


def test_a_signal_is_heard_where_nobody_reads_what_is_told() -> None:
    class Held(Console):
        def note(self, *_: str) -> None:
            read.wait(30)

    clock, read = Clock(), threading.Event()

    def waits() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        clock.sleep(10)
        pytest.fail("the signal was not heard")

    with pytest.raises(Interrupted), handle_signals(Held(), clock), user_errors("sweeping"):
        waits()
    read.set()


def test_a_signal_that_comes_while_a_line_is_written_is_heard() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SIGNALLED], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True
    )

    assert ran.stdout == f"[{signal.SIGTERM.value}]\n"
    assert ran.stderr.startswith("Stopping: ")


def test_a_run_that_is_stopped_while_it_plans_gives_its_lease_back_and_its_record_says_so(user: User) -> None:
    user.environment["MLAPI_STATE"] = "s3://team-state/ml"
    user.well("state", "init", "--yes")

    with (
        held(user.box, "ec2") as answer,
        user.spawn("apply", "--yes", "--suffix", "a", "--local", "--json") as process,
    ):
        answer.wait()
        process.send_signal(signal.SIGTERM)
        answer.let_go()
        out, _ = process.communicate(timeout=60)

    assert process.returncode == 143
    told = json.loads(out.splitlines()[-1])
    assert (told["result"], told["message"], told["hint"]) == (
        "interrupted",
        "Stopped.",
        "Nothing was changed.",
    )
    assert "Nobody holds the lock of a." in user.well("state", "unlock", "--yes", "--suffix", "a").out
    shown = user.well("show", "--suffix", "a").out
    assert "interrupted, exit code 143" in shown
    assert user.well("list").out.split() == ["suffix", "account", "region", "resources"]


def test_a_signal_between_the_question_and_the_first_call_finds_nothing_changed(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: Any, plan: Plan) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        return Outcome("apply", undone=list(plan.changes))

    monkeypatch.setattr(plan_execution, "apply_exclusively", stopped)

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 130
    assert ran.err.endswith("Error: Stopped.\nNothing was changed.\n")
