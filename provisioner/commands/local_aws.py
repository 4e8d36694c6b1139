"""`local start|stop|status`: the local AWS of this folder."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from provisioner.emulator import local
from provisioner.engine.calls.clock import Clock
from provisioner.errors import UsageError
from provisioner.stopping import begin_change
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace
from state.errors import LockHeld

# The names that a Host header may hold: a DNS name, one of Docker's with an underscore, an IPv4 address.
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)


@dataclass(frozen=True)
class EmulatorOptions:
    """The options given for the emulator; None takes the default at a start, and any value if it runs."""

    speed: float | None = None
    behaviours: bool | None = None
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
            ip_address(self.address or local.LOOPBACK)
        except ValueError as error:
            raise UsageError(
                f"--address {self.address} is no IP address.",
                "127.0.0.1 is this machine alone, 0.0.0.0 every address of it.",
            ) from error


def start_emulator(console: Console, options: EmulatorOptions, *, port: int, authorise: Path | None = None) -> int:
    """Start the emulator, or say that it runs; return the exit code.

    Raises:
        UsageError: It runs with other options than those given.

    """
    emulator = local.start_emulator(
        Workspace.here().embedded,
        speed=options.speed or 0.0,
        behaviours=options.behaviours is not False,
        port=port,
        hosts=options.hosts or (),
        address=options.address or local.LOOPBACK,
        account=options.account or local.PLAIN,
    )
    if any(value is not None and value != getattr(emulator, name) for name, value in vars(options).items()):
        raise UsageError(
            f"The embedded AWS runs already, {_describe_options(emulator)}: that cannot change while it does.",
            "`local stop` ends it, and all it holds; then start it anew.",
        )
    if authorise:
        local.authorise(emulator, _read_policies(authorise))
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
        unresponsive_pid = local.unresponsive_process(workspace.embedded)
        begin_change()
        stopped = local.stop_emulator(workspace.embedded)
        for suffix in workspace.suffixes():
            workspace.store(suffix).remove()
    if console.as_json:
        console.record("local", running=False, stopped=stopped)
    elif stopped:
        console.data("The embedded AWS has ended, and what it held with it.")
    else:
        console.data("It was not running.")
    if unresponsive_pid is not None:
        console.note(
            f"Process {unresponsive_pid}, which the state file named, does not answer as the embedded AWS and was "
            f"left alone. Look at it: `ps -p {unresponsive_pid} -f`."
        )
    return 0


def show_emulator_status(console: Console) -> int:
    """Say whether the emulator runs, where, and with which options; return 1 if it does not run."""
    _print_status(console, emulator := local.running_emulator(Workspace.here().embedded))
    return 0 if emulator else 1


def _print_status(console: Console, emulator: local.RunningEmulator | None) -> None:
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
        console.data(
            f"The embedded AWS listens at {emulator.endpoint} (process {emulator.pid}, {_describe_options(emulator)})."
        )
    else:
        console.data("Not running.")


def _describe_options(emulator: local.RunningEmulator) -> str:
    """Describe the options of the running emulator."""
    names = f", hosts {', '.join(emulator.hosts)}" if emulator.hosts else ""
    address = f", listening at {emulator.address}" if emulator.address != local.LOOPBACK else ""
    manners = f"manners {'on' if emulator.behaviours else 'off'}, {emulator.account} account"
    return f"pace {emulator.speed:g}, {manners}{names}{address}, since {emulator.started}"
