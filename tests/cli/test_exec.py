"""`exec`, `db tunnel`, `open`: into a task, to the database, to the address; and where that cannot be.

A container can be entered on AWS alone, so most tests reach the emulator as if it was AWS: without `--local`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call
from provisioner.errors import Blocked
from provisioner.terminal.output_frame import OutputFrame
from provisioner.terminal.session_manager_plugin import Plugin, install_hint
from tests.support.fake_plugin import FakePlugin
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack
from tests.support.user import ROOT, CommandResult, User

# A frame, without AWS.


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_the_inside_of_a_frame_is_told_from_its_outside(step: int) -> None:
    framed = OutputFrame("abc")
    came = b"hello\n\x1eabc\x1eout <\x1e> put\x1eabc:42\x1e\nbye"
    inside, outside = b"", b""

    for at in range(0, len(came), step):
        for is_inside, piece in framed.split(came[at : at + step]):
            inside, outside = inside + piece * is_inside, outside + piece * (not is_inside)

    assert (inside, outside, framed.exit_code) == (b"out <\x1e> put", b"hello\n\nbye", 42)


def test_what_is_typed_is_shown_at_once() -> None:
    framed = OutputFrame("abc")
    list(framed.split(b"\x1eabc\x1e"))

    assert [piece for _, piece in framed.split(b"<")] == [b"<"]


def test_the_command_line_keeps_every_argument_whole() -> None:
    framed = OutputFrame("abc")
    line = framed.wrap_command(["printf", "%s|", "a b", "it's", "$HOME"])

    out = subprocess.run(shlex.split(line), capture_output=True, check=True).stdout

    assert b"".join(piece for is_inside, piece in framed.split(out) if is_inside) == b"a b|it's|$HOME|"
    assert framed.exit_code == 0


@pytest.mark.parametrize("version", ["1.2.497.0", "1.1.0", "what?"])
def test_a_plugin_that_shows_the_token_to_everybody_is_refused(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakePlugin.at(tmp_path).put("version", version)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Blocked, match="too old"):
        Plugin.find()


# On a stack that stands.


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> FakePlugin:
    """The plugin, in a folder of its own."""
    return FakePlugin.at(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def user(live_stack: LiveStack, plugin: FakePlugin) -> Iterator[User]:
    """A user whose stack is on AWS, it seems; the plugin runs what is asked for."""
    desk = live_stack.desk
    state = desk.ledger(SUFFIX).read_text().replace(f"embedded:{desk.box.emulator.instance}", desk.box.endpoint)
    (desk.home / f"{SUFFIX}.json").write_text(state)
    environment = {"PATH": f"{plugin.folder}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": desk.box.endpoint}
    environment |= {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real"}
    with plugin.in_the_task():
        yield dataclasses.replace(desk, environment=environment)


def execute(user: User, *asked: str) -> CommandResult:
    """`exec`, in this process: what comes after `--` is the command's."""
    return user.run("exec", *asked, local=False)


def change(live_stack: LiveStack, **service: object) -> None:
    live_stack.aws("ecs").update_service(
        cluster=live_stack.service["clusterArn"], service=live_stack.service["serviceName"], **service
    )


def test_where_it_is_off_it_is_said_how_to_turn_it_on(user: User) -> None:
    """The first one: those after it need it on."""
    ran = execute(user, "--", "true")

    assert ran.code == 5
    assert "ECS Exec is off" in ran.err
    assert "service.exec=true" in ran.err


def test_a_task_from_before_it_was_turned_on_has_no_agent(user: User, live_stack: LiveStack) -> None:
    change(live_stack, enableExecuteCommand=True)

    ran = execute(user, "--", "true")

    assert ran.code == 5
    assert "No agent of ECS Exec runs in" in ran.err


@pytest.fixture(scope="module")
def opened(user: User, live_stack: LiveStack) -> User:
    """Tasks that can be entered."""
    change(live_stack, enableExecuteCommand=True, forceNewDeployment=True)
    return user


def test_output_and_exit_code_are_the_command_s(opened: User) -> None:
    ran = execute(opened, "--", "sh", "-c", "echo 'it is'; exit 7")

    assert (ran.code, ran.out) == (7, "it is\n")
    assert "Starting session" in ran.err


def test_the_token_is_shown_to_nobody(opened: User, plugin: FakePlugin) -> None:
    ran = execute(opened, "--", "true")

    told = json.loads(plugin.told)
    token = told["session"]["TokenValue"]
    assert token
    assert token not in json.dumps(told["argv"]) + ran.out + ran.err
    target = json.loads(told["argv"][5])["Target"]
    assert target.startswith("ecs:ml-api-cluster-prod_")
    assert len(target.split("_")) == 3


def test_a_task_is_chosen_by_the_beginning_of_its_id(opened: User, live_stack: LiveStack, plugin: FakePlugin) -> None:
    ecs, cluster = live_stack.aws("ecs"), live_stack.service["clusterArn"]
    last = ecs.list_tasks(cluster=cluster)["taskArns"][-1].rpartition("/")[2]

    execute(opened, "--task", last[:10], "--", "true")

    assert last in plugin.told


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["--suffix", "nobody"], 6, "No stack nobody is known"),
        (["--service", "apo"], 64, "Did you mean api?"),
        (["--task", "ffffffffffff"], 64, "There are: "),
    ],
)
def test_what_is_not_there_is_said(opened: User, asked: list[str], code: int, told: str) -> None:
    ran = execute(opened, *asked, "--", "true")

    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err


def test_without_the_plugin_it_is_said_what_to_install_before_any_call(opened: User, tmp_path: Path) -> None:
    mark = opened.mark()
    without = dataclasses.replace(opened, environment={**opened.environment, "PATH": str(tmp_path)})

    for command in (["exec"], ["db", "tunnel"]):
        ran = without.process(*command)
        assert ran.code == 5
        assert ran.err.startswith("Error: The Session Manager plugin is not installed: no session-manager-plugin")
        assert install_hint() in " ".join(ran.err.split())
    assert opened.mark() == mark


def rehearsed(opened: User, *command: str, path: Path | None = None) -> CommandResult:
    """A command with --local, as a process; `path` is the one folder on PATH, else the plugin is on it."""
    environment = {"PATH": str(path) if path else opened.environment["PATH"]}
    return dataclasses.replace(opened, environment=environment).process(*command)


def test_on_the_local_aws_all_is_done_up_to_the_session(opened: User, plugin: FakePlugin) -> None:
    (plugin.folder / "told").unlink(missing_ok=True)
    replies = []
    always.after("ecs", "ExecuteCommand")(lambda _, reply: replies.append(reply))
    try:
        ran = rehearsed(opened, "exec", "--local", "--", "env")
    finally:
        always.afters["ecs", "ExecuteCommand"].clear()

    (reply,) = replies
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert lines[0] == f"Session Manager plugin 1.2.707.0: {plugin.folder}/session-manager-plugin"
    assert f"Rehearsed: The task {reply['taskArn'].rpartition('/')[2]} runs" in ran.err
    assert "enableExecuteCommand" in ran.err
    assert f"ExecuteCommand opens the session {reply['session']['sessionId']}" in ran.err
    assert "--set service.exec=true` adds task-role-exec" in ran.err
    assert "Error: The rehearsal ends here: the local AWS runs no container that could be entered." in lines
    assert reply["session"]["tokenValue"] not in ran.err
    assert not (plugin.folder / "told").exists()


def test_the_line_of_a_rehearsal_is_what_runs_on_aws(opened: User, plugin: FakePlugin) -> None:
    line = rehearsed(opened, "exec", "--local").err.splitlines()[-1]
    execute(opened, "--", "true")
    on_aws = json.loads(plugin.told)["argv"]

    plugin.put("line", "break")
    subprocess.run(line, shell=True, check=True, capture_output=True)

    printed = json.loads(plugin.told)
    assert printed["argv"][:-1] == on_aws[:-1]
    assert printed["argv"][-1] == "https://ssm.us-east-1.amazonaws.com"
    assert set(printed["session"].values()) == {"..."}


def test_a_rehearsal_needs_no_plugin_and_says_first_that_there_is_none(opened: User, tmp_path: Path) -> None:
    ran = rehearsed(opened, "exec", "--local", path=tmp_path)

    assert ran.code == 1
    assert ran.err.startswith("The Session Manager plugin is not installed")
    assert install_hint() in ran.err
    assert "Rehearsed: ExecuteCommand opens the session" in ran.err


def test_a_rehearsed_tunnel_says_how_to_connect_and_what_runs_on_aws(opened: User, live_stack: LiveStack) -> None:
    ran = rehearsed(opened, "db", "tunnel", "--local")

    assert ran.code == 1
    assert ran.out.startswith('psql "host=127.0.0.1 port=')
    port = re.search(r"port=(\d+)", ran.out)
    assert port
    assert f"Rehearsed: The port {port[1]} of this machine is free." in ran.err
    assert "StartSession opens the session" in ran.err
    assert "session-manager-plugin AWS_SSM_START_SESSION_RESPONSE us-east-1 StartSession" in ran.err
    secret = live_stack.aws("secretsmanager").get_secret_value(SecretId=live_stack.secret)["SecretString"]
    assert json.loads(secret)["password"] not in ran.out + ran.err


def test_a_rehearsal_is_a_record_with_json(opened: User) -> None:
    ran = rehearsed(opened, "exec", "--local", "--json")

    record, error = ran.lines
    assert (record["type"], record["container"], error["type"]) == ("rehearsal", "api", "error")
    assert record["plugin_command"].startswith("AWS_SSM_START_SESSION_RESPONSE=")


def test_expired_credentials_are_told_as_such(opened: User) -> None:
    opened.box.faults({"operation": "ecs:ExecuteCommand", "fault": "expired", "times": 9})
    try:
        ran = execute(opened, "--", "true")
    finally:
        opened.box.faults()

    assert ran.code == 3


def test_a_command_that_never_began_is_no_success(opened: User, plugin: FakePlugin) -> None:
    with plugin.in_the_task():
        plugin_of_its_own = FakePlugin.at(plugin.folder / "broken")
        plugin_of_its_own.put("line", "break")
        path = f"{plugin_of_its_own.folder}:{os.environ['PATH']}"
        broken = dataclasses.replace(opened, environment={**opened.environment, "PATH": path})
        ran = execute(broken, "--", "true")

    assert ran.code == 1
    assert "The command did not begin (the plugin ended with 0)." in ran.err


def test_a_process_without_a_terminal_has_its_exit_code_and_an_end_of_input(opened: User) -> None:
    ran = opened.process("exec", "--", "sh", "-c", "cat; exit 3")

    assert ran.code == 3, ran.err


@pytest.mark.slow
def test_nobody_reads_any_more_and_the_session_ends(opened: User) -> None:
    with opened.spawn("exec", "--", "yes") as process:
        assert process.stdout
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_on_a_terminal_what_is_typed_reaches_the_command(opened: User) -> None:
    ours, its = pty.openpty()
    argv = [sys.executable, str(ROOT / "cli.py"), "exec"]
    told = {**os.environ, "MLAPI_HOME": str(opened.home), **opened.environment}
    with subprocess.Popen(argv, stdin=its, stdout=its, stderr=its, env=told) as process:
        os.close(its)
        shown = b""
        while not shown.endswith((b"$ ", b"# ")) and select.select([ours], [], [], 30)[0]:
            shown += os.read(ours, 4096)
        os.write(ours, b"exit 4\r")
        while select.select([ours], [], [], 1)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
        try:
            assert process.wait(timeout=30) == 4, shown
        finally:
            process.kill()
    os.close(ours)


def tunnelled(user: User, *more: str) -> CommandResult:
    """`db tunnel`, in this process; the plugin's end is its end."""
    return user.run("db", "tunnel", *more, local=False)


def test_a_tunnel_says_how_to_connect_and_shows_no_password(
    opened: User, live_stack: LiveStack, plugin: FakePlugin
) -> None:
    plugin.put("line", "true")

    ran = tunnelled(opened)

    found = re.fullmatch(r'psql "host=127.0.0.1 port=(\d+) dbname=mlapi user=\w+ sslmode=require"\n', ran.out)
    assert found, ran.out + ran.err
    assert live_stack.secret in ran.err
    told = json.loads(plugin.told)
    assert told["session"]["TokenValue"] not in ran.out + ran.err + json.dumps(told["argv"])
    assert ran.code == 1
    assert "The tunnel has ended by itself (0)." in ran.err


def test_a_tunnel_leads_to_the_database_through_the_task(opened: User, live_stack: LiveStack) -> None:
    asked = []

    def hear(call: Call, _: Reply) -> None:
        asked.append(call.params)

    always.after("ssm", "StartSession")(hear)
    try:
        tunnelled(opened, "--json")
    finally:
        always.afters["ssm", "StartSession"].clear()

    (params,) = asked
    assert params["DocumentName"] == "AWS-StartPortForwardingSessionToRemoteHost"
    assert params["Parameters"]["host"] == [live_stack.cluster["Endpoint"]]
    assert params["Parameters"]["portNumber"] == ["5432"]


def test_a_port_that_is_taken_is_refused_and_the_usual_one_gives_way(opened: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = tunnelled(opened, "--port", str(port))
        assert ran.code == 64
        assert f"The port {port} of this machine is taken." in ran.err


def test_a_tunnel_ends_with_ctrl_c(opened: User, plugin: FakePlugin) -> None:
    plugin.put("line", "listen")
    with opened.spawn("db", "tunnel") as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        told = [process.stderr.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert "Traceback" not in process.stderr.read()

    assert line.startswith("psql ")
    assert "Waiting for connections" in told[-1]


def test_open_prints_the_address_and_shows_it(opened: User, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not shown.append(url))  # type: ignore[func-returns-value]
    url = opened.well("outputs", "cloudfront_distribution_url").out
    mark = opened.mark()

    assert opened.process("open", "--print", "--local").out == url
    assert shown == []
    assert opened.well("open").out == url
    assert [f"{one}\n" for one in shown] == [url]
    assert opened.well("open", "--print", "--json").lines[0]["url"] == url.strip()
    assert opened.mark() == mark


def test_where_there_is_no_browser_the_address_is_printed_all_the_same(
    opened: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)

    ran = opened.run("open")

    assert ran.code == 1
    assert ran.out.startswith("https://")
    assert "no browser here" in ran.err
    assert opened.run("open", "--suffix", "nobody").code == 6


def test_the_policy_for_it_is_enough_and_that_for_status_is_not(opened: User, plugin: FakePlugin) -> None:
    asked = ("policy", "--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json", "--for")
    given = {one: opened.well(*asked, one).lines[0]["policies"] for one in ("exec", "status")}
    try:
        opened.box.authorise(*given["exec"])
        assert execute(opened, "--", "sh", "-c", "exit 9").code == 9
        plugin.put("line", "true")
        assert "psql" in tunnelled(opened).out
        opened.box.authorise(*given["status"])
        refused = execute(opened, "--", "true")
    finally:
        opened.box.authorise()

    assert refused.code == 1
    assert "not authorized to perform: ecs:ExecuteCommand on resource" in refused.err


def test_where_no_task_runs_it_is_said(opened: User, live_stack: LiveStack) -> None:
    """The last one: it stops them."""
    change(live_stack, desiredCount=0)

    ran = execute(opened, "--", "true")

    assert ran.code == 5
    assert "No task of ml-api-service-prod runs." in ran.err
    assert "doctor --suffix prod` tells why" in ran.err
