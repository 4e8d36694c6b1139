"""`local`: start, stop and show the local AWS of this folder."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import click

from provisioner.commands.context import console_from
from provisioner.commands.help_page import Group
from provisioner.commands.output_options import output_options
from provisioner.emulator import local as local_aws
from provisioner.engine.calls.clock import Clock
from provisioner.errors import UsageError
from provisioner.stopping import begin_change
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace
from state.errors import LockHeld

# The names that a Host header may hold: a DNS name, one of Docker's with an underscore, an IPv4 address.
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)

T = TypeVar("T")


@click.group(cls=Group)
def local() -> None:
    """Run the local AWS: moto's server with AWS's behaviour, on loopback."""


@local.command()
@click.option("--speed", type=click.FloatRange(0, 1), help="0 is instant, 1 as slow as AWS.  [default: 0]")
@click.option("--behaviours", type=click.Choice(["on", "off"]), help="AWS's refusals and delays.  [default: on]")
@click.option("--pace", type=click.FloatRange(0, 1), hidden=True)
@click.option("--manners", type=click.Choice(["on", "off"]), hidden=True)
@click.option("--port", type=int, default=0, help="0 takes a free one.")
@click.option(
    "--authorise",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Allow what these policies allow, and no more: the output of `policy --json`.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Answer to this name too, besides localhost: a container's, or a CI service's. Repeatable.",
)
@click.option(
    "--address",
    metavar="IP",
    help="Listen at this address; 0.0.0.0 for other containers to reach it.  [default: 127.0.0.1]",
)
@click.option(
    "--account",
    type=click.Choice(local_aws.ACCOUNTS),
    help="strict is an organisation's: its protections and contracts stand there.  [default: plain]",
)
@output_options
def start(
    speed: float | None,
    behaviours: str | None,
    pace: float | None,
    manners: str | None,
    port: int,
    authorise: Path | None,
    hosts: tuple[str, ...],
    address: str | None,
    account: str | None,
    **output: Any,
) -> int:
    """Start it, or say that it runs.

    It answers on loopback, to localhost, and to nothing that a web page sends. In a container, `--address
    0.0.0.0 --port 4566 --host NAME`, where NAME is what others call the container, lets those others in;
    publish the port to 127.0.0.1 only.
    """
    console = console_from(output)
    speed = _renamed_option(console, "--pace", "--speed", pace, speed)
    behaviours = _renamed_option(console, "--manners", "--behaviours", manners, behaviours)
    has_behaviours = None if behaviours is None else behaviours == "on"
    options = EmulatorOptions(
        speed=speed,
        behaviours=has_behaviours,
        port=port or None,
        hosts=hosts or None,
        address=address,
        account=account,
    )
    return start_emulator(console, options, authorise=authorise)


def _renamed_option(console: Console, old: str, new: str, old_value: T | None, value: T | None) -> T | None:
    """Return the value of an option that is still accepted under its old name, with a warning."""
    if old_value is None:
        return value
    console.note(f"{old} is called {new} now.")
    return old_value if value is None else value


@local.command()
@output_options
def stop(**output: Any) -> int:
    """Stop it; what it held is gone, and so are the states of its stacks."""
    return stop_emulator(console_from(output))


@local.command("status")
@output_options
def local_status(**output: Any) -> int:
    """Say whether it runs, and where."""
    return show_emulator_status(console_from(output))


@dataclass(frozen=True)
class EmulatorOptions:
    """The options given for the emulator; None takes the default at a start, and any value if it runs."""

    speed: float | None = None
    behaviours: bool | None = None
    port: int | None = None
    hosts: tuple[str, ...] | None = None
    address: str | None = None
    account: str | None = None

    def __post_init__(self) -> None:
        for host in self.hosts or ():
            if not _HOST_NAME.fullmatch(host):
                raise UsageError(
                    f"--host {host} is not the name of a host.",
                    "Give the bare name: no scheme, no port, no *.",
                )
        try:
            ip_address(self.address or local_aws.LOOPBACK)
        except ValueError as error:
            raise UsageError(
                f"--address {self.address} is no IP address.",
                "127.0.0.1 is this machine alone, 0.0.0.0 every address of it.",
            ) from error


def start_emulator(console: Console, options: EmulatorOptions, *, authorise: Path | None = None) -> int:
    """Start the emulator, or say that it runs; return the exit code.

    Raises:
        UsageError: It runs with other options than those given.

    """
    emulator = local_aws.start_emulator(
        Workspace.here().emulator_folder,
        speed=options.speed or 0.0,
        behaviours=options.behaviours is not False,
        port=options.port or 0,
        hosts=options.hosts or (),
        address=options.address or local_aws.LOOPBACK,
        account=options.account or local_aws.PLAIN,
    )
    if any(value is not None and value != getattr(emulator, name) for name, value in vars(options).items()):
        raise UsageError(
            f"The local AWS runs already at {emulator.endpoint}, {_describe_options(emulator)}: that cannot change "
            "while it does.",
            "`local stop` ends it, and all it holds; then start it again.",
        )
    if authorise:
        local_aws.authorise(emulator, _read_policies(authorise))
    _print_status(console, emulator)
    return 0


def _read_policies(file: Path) -> list[Any]:
    """Return the policies in a file: the output of `policy --json`, one policy, or a list of policies."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} holds no policies: {error}", "`policy --json` prints them.") from error
    policies = content.get("policies", [content]) if isinstance(content, dict) else content
    if not isinstance(policies, list) or not all(
        isinstance(policy, dict) and "Statement" in policy for policy in policies
    ):
        raise UsageError(f"{file} holds no policies.", "`policy --json` prints them.")
    return policies


def stop_emulator(console: Console) -> int:
    """Stop the emulator, and delete the states of the stacks in it.

    Raises:
        LockHeld: A run is at work on one of these stacks.

    """
    workspace = Workspace.here(local=True)
    with ExitStack() as locks:
        try:
            for suffix in workspace.suffixes():
                locks.enter_context(workspace.lock(suffix, "local stop", 0, Clock()))
        except LockHeld as error:  # this command waits for nobody
            raise LockHeld(error.message, "Wait until that run has ended, then run this again.") from error
        unresponsive_pid = local_aws.unresponsive_process(workspace.emulator_folder)
        begin_change()
        stopped = local_aws.stop_emulator(workspace.emulator_folder)
        for suffix in workspace.suffixes():
            workspace.store(suffix).remove()
    if console.as_json:
        console.record("local", running=False, stopped=stopped)
    elif stopped:
        console.text("The local AWS has ended, and what it held with it.")
    else:
        console.text("It was not running.")
    if unresponsive_pid is not None:
        console.note(
            f"Process {unresponsive_pid}, which the state file named, does not answer as the local AWS and was "
            f"left alone. Look at it: `ps -p {unresponsive_pid} -f`."
        )
    return 0


def show_emulator_status(console: Console) -> int:
    """Say whether the emulator runs, where, and with which options; return 1 if it does not run."""
    _print_status(console, emulator := local_aws.running_emulator(Workspace.here().emulator_folder))
    return 0 if emulator else 1


def _print_status(console: Console, emulator: local_aws.RunningEmulator | None) -> None:
    """Print whether the emulator runs, where, and with which options."""
    if console.as_json:
        process_fields = (
            {"endpoint": emulator.endpoint, "pid": emulator.pid, "since": emulator.started} if emulator else {}
        )
        manner = (
            {"pace": emulator.speed, "manners": emulator.behaviours, "account": emulator.account} if emulator else {}
        )
        console.record("local", running=bool(emulator), **process_fields, **manner)
    elif emulator:
        console.text(
            f"The local AWS listens at {emulator.endpoint} (process {emulator.pid}, {_describe_options(emulator)})."
        )
    else:
        console.text("Not running.")


def _describe_options(emulator: local_aws.RunningEmulator) -> str:
    """Describe the options of the running emulator."""
    names = f", hosts {', '.join(emulator.hosts)}" if emulator.hosts else ""
    address = f", listening at {emulator.address}" if emulator.address != local_aws.LOOPBACK else ""
    behaviours = f"behaviours {'on' if emulator.behaviours else 'off'}, {emulator.account} account"
    return f"speed {emulator.speed:g}, {behaviours}{names}{address}, since {emulator.started}"
