"""Starting, finding and stopping the emulator's process; cheap to import."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provisioner.emulator.control_client import STATE, ask
from provisioner.emulator.process import ProcessHandle, alive
from provisioner.errors import Blocked
from provisioner.extras import LOCAL, install_command, is_installed
from state.errors import ProvisionerError

LOOPBACK = "127.0.0.1"
LOCK, LOG = "local.lock", "local.log"
STOP_PATIENCE = 5.0
REFUSED = 400
# Installed with `moto[server]` and with nothing else that this tool needs.
REQUIRED_MODULES = ("moto", "flask", "flask_cors", "werkzeug")

# A plain account is the user's own; into a strict one, an organisation puts resources and rules of its own.
PLAIN, STRICT = "plain", "strict"
ACCOUNTS = (PLAIN, STRICT)

VISIBLE_WITHIN, AT_LEAST = 60.0, 0.5  # seconds at AWS's speed, and real seconds at any speed


def consistency_window(speed: float) -> float:
    """Return the seconds for which, at most, reads may not show a new resource (eventual consistency)."""
    return max(VISIBLE_WITHIN * speed, AT_LEAST)


@dataclass(frozen=True)
class RunningEmulator:
    """A running emulator: its endpoint, process and settings."""

    endpoint: str
    pid: int
    instance: str
    speed: float = field(metadata={"json": "pace"})
    behaviours: bool = field(metadata={"json": "manners"})
    started: str
    token: str = field(default="", repr=False)
    # The Host names that it accepts besides those of loopback, and the address that it listens at.
    hosts: tuple[str, ...] = ()
    address: str = LOOPBACK
    account: str = PLAIN

    @property
    def port(self) -> int | None:
        """The port that it listens at."""
        return urlsplit(self.endpoint).port

    @property
    def visible_within(self) -> float:
        """Seconds for which reads may not show a new resource; 0 without behaviours."""
        return consistency_window(self.speed) if self.behaviours else 0.0


def running_emulator(home: Path) -> RunningEmulator | None:
    """Return the running emulator of this home; None if its file names a dead or a different process."""
    emulator = _recorded_emulator(home)
    if emulator is None or not alive(emulator.pid):
        return None
    return emulator if _answers(emulator) else None


def unresponsive_process(home: Path) -> int | None:
    """Return the id of the live process in the emulator's file if it does not answer as the emulator."""
    emulator = _recorded_emulator(home)
    return emulator.pid if emulator and alive(emulator.pid) and not _answers(emulator) else None


def start_emulator(
    home: Path,
    *,
    speed: float = 0.0,
    behaviours: bool = True,
    port: int = 0,
    hosts: Iterable[str] = (),
    address: str = LOOPBACK,
    account: str = PLAIN,
    timeout: float = 180,
) -> RunningEmulator:
    """Return the running emulator of this home, or start one; concurrent callers get the same one.

    A running one is returned whatever its speed and account. For a new one, `speed` is 0 for instant and 1 for
    AWS's speed, `port` 0 lets the kernel choose, and `timeout` is in seconds until it is ready.

    Raises:
        Blocked: The packages that it is made of are not installed.
        ProvisionerError: It did not start, or its files cannot be written.

    """
    if emulator := running_emulator(home):
        return emulator
    check_installed()
    arguments = ["--port", str(port), "--speed", str(speed), "--behaviours", "on" if behaviours else "off"]
    arguments += ["--account", account]
    arguments += ["--address", address, *(f"--host={host}" for host in hosts)]
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            if emulator := running_emulator(home):
                return emulator
            _spawn_process(home, arguments, timeout)
            if emulator := running_emulator(home):
                return emulator
    except OSError as error:
        raise ProvisionerError(
            f"The local AWS cannot keep its files in {home}: {error.strerror or error}.",
            "Make room or give rights there, or choose another folder with MLAPI_HOME.",
        ) from error
    raise _start_error(home, "it said it was ready, but does not answer")


def check_installed() -> None:
    """Check that the packages of the emulator are installed: most machines do without them.

    Raises:
        Blocked: They are not.

    """
    if not is_installed(*REQUIRED_MODULES):
        raise Blocked(
            "The local AWS is not installed here.",
            f"Install it with `{install_command(LOCAL)}`, then run the same command again.",
        )


def stop_emulator(home: Path) -> bool:
    """Stop the emulator and wait until its process has ended; return False if none was running.

    A process is signalled only if it has just answered, over the control port, as this emulator.
    """
    emulator = _recorded_emulator(home)
    (home / STATE).unlink(missing_ok=True)
    try:
        return emulator is not None and _end_process(emulator)
    except (ProcessLookupError, PermissionError, OverflowError):  # no such process, or another user's
        return False


def _end_process(emulator: RunningEmulator) -> bool:
    """Terminate the process, by SIGKILL if SIGTERM does not help; return False if it is not the emulator."""
    with ProcessHandle(emulator.pid) as process:
        if not _answers(emulator):
            return False
        for sign in (signal.SIGTERM, signal.SIGKILL):
            process.send(sign)
            if process.gone_within(STOP_PATIENCE):
                return True
    raise ProvisionerError(
        f"The local AWS, process {emulator.pid}, does not end.", f"Look at it: `ps -p {emulator.pid} -f`."
    )


def authorise(emulator: RunningEmulator, policies: list[Any]) -> None:
    """Make a running emulator allow only what these policies allow; an empty list lifts the restriction."""
    status, content = ask(emulator.endpoint, emulator.token, "POST", "authorise", policies)
    if status >= REFUSED:
        raise ProvisionerError(f"The local AWS does not take these policies: {content.get('error')}")


def _answers(emulator: RunningEmulator) -> bool:
    """Return whether the endpoint answers, for this token, with this emulator's instance and process id."""
    from http.client import HTTPException  # noqa: PLC0415  # only where a request is sent

    try:
        _, health = ask(emulator.endpoint, emulator.token, "GET", "health")
        return (health["instance"], health["pid"]) == (emulator.instance, emulator.pid)
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return False


def _recorded_emulator(home: Path) -> RunningEmulator | None:
    """Return the emulator that the file in the home describes; None without a usable file.

    Raises:
        ProvisionerError: The file is another user's, who could name any process and endpoint in it.

    """
    try:
        with (home / STATE).open() as file:
            owner, text = os.fstat(file.fileno()).st_uid, file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        owner, text = -1, ""
    if owner != os.getuid():
        raise ProvisionerError(
            f"The local AWS of {home} is another user's: {STATE} there is not yours.",
            "Choose another folder with MLAPI_HOME.",
        )
    try:
        record = json.loads(text)
        attributes = {each.metadata.get("json", each.name): each.name for each in fields(RunningEmulator)}
        values = {attributes[key]: value for key, value in record.items()}
        emulator = RunningEmulator(**(values | {"hosts": tuple(record.get("hosts", ()))}))
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return emulator if type(emulator.pid) is int and emulator.pid > 0 else None


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the home's start lock; the kernel releases it if this process dies."""
    with (home / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _spawn_process(home: Path, arguments: list[str], timeout: float) -> None:
    """Start the process, detached from this terminal, and wait until it reports that it is ready."""
    ready, says_ready = os.pipe()
    command = [sys.executable, "-m", "provisioner.emulator", "--home", str(home), *arguments]
    with (home / LOG).open("w") as log:
        child = subprocess.Popen(  # noqa: S603  # our own module, our own arguments
            [*command, "--ready-fd", str(says_ready)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            pass_fds=(says_ready,),
            start_new_session=True,
        )
    os.close(says_ready)
    try:
        answered, _, _ = select.select([ready], [], [], timeout)
        ready_byte = os.read(ready, 1) if answered else b""
    finally:
        os.close(ready)
    if ready_byte:
        child.returncode = 0  # it outlives this process: no ResourceWarning
        return
    if answered:  # it has closed the pipe, so it is about to end
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_PATIENCE)
    exit_code = child.poll()
    child.kill()
    child.wait()
    reason = f"it was not ready within {timeout:g} s" if exit_code is None else f"it ended with code {exit_code}"
    raise _start_error(home, reason)


def _environment() -> dict[str, str]:
    """Return the environment of the new process, without the user's AWS settings and secrets."""
    hidden = ("AWS_", "BOTO", "MOTO_", "MLAPI_", "DB_PASSWORD", "_X_AMZN", "REQUESTS_CA_BUNDLE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, inherited.get("PYTHONPATH", "")]))
    no_aws_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return inherited | no_aws_files | {"PYTHONPATH": path, "AWS_EC2_METADATA_DISABLED": "true"}


def _start_error(home: Path, reason: str) -> ProvisionerError:
    """Return the error for a failed start, with the last lines of the log."""
    lines = (home / LOG).read_text(errors="replace").splitlines()[-5:]
    message = "\n".join([f"The local AWS could not start: {reason}.", *("  " + line for line in lines)])
    return ProvisionerError(message, f"Read {home / LOG}. Is the port free, and is there room on the disk?")
