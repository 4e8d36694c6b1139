"""An environment for benchmarks: a home directory with an emulator, and commands run as processes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from provisioner.emulator.control_client import ask
from provisioner.emulator.local import RunningEmulator, running_emulator
from state.run_store import FileRunStore

ROOT = Path(__file__).parent.parent
_CALLS = re.compile(r"with (\d+) calls in")
_KB = 1024


@dataclass(frozen=True)
class Ran:
    """The result of one process: duration, peak memory, and output."""

    seconds: float
    megabytes: float
    out: str
    err: str

    @property
    def calls(self) -> int:
        """The number of API calls, of all stacks together, as printed by the command."""
        return sum(int(count) for count in _CALLS.findall(self.err))


@dataclass
class Place:
    """A home directory with an emulator; it records the peak memory of each command, by name."""

    home: Path
    megabytes: dict[str, float] = field(default_factory=dict)
    # The checkout whose commands are run.
    root: Path = ROOT

    def run(self, *arguments: str, script: str = "cli.py", **environment: str) -> Ran:
        """Run one command to its end.

        Args:
            *arguments: The arguments of the command line.
            script: The script to run.
            **environment: Further environment variables.

        Raises:
            RuntimeError: The command failed.

        """
        out, err = self.home / "out", self.home / "err"
        order = [sys.executable, str(self.root / script), *arguments]
        told = {**os.environ, "MLAPI_HOME": str(self.home), "MLAPI_PROFILE": "seed", "PYTHONPATH": str(self.root)}
        told["PYTHONSAFEPATH"] = "1"  # else `-m` finds the checkout in the current folder first
        told |= environment
        begun = time.perf_counter()
        write = [(os.POSIX_SPAWN_OPEN, at, str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                 for at, path in ((1, out), (2, err))]  # fmt: skip
        pid = os.posix_spawn(sys.executable, order, told, file_actions=write)
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - begun
        ran = Ran(seconds, usage.ru_maxrss / _KB, out.read_text(), err.read_text())
        if os.waitstatus_to_exitcode(status):
            raise RuntimeError(f"{' '.join(order)} failed:\n{ran.err}")
        if arguments and not arguments[0].startswith("-"):
            self.megabytes[arguments[0]] = max(ran.megabytes, self.megabytes.get(arguments[0], 0.0))
        return ran

    def on(self, verb: str, suffix: str, *more: str, script: str = "cli.py") -> Ran:
        """Run one command for a stack of the local AWS."""
        return self.run(verb, "--local", "--suffix", suffix, *more, script=script)

    @property
    def local(self) -> RunningEmulator:
        """The emulator that runs for this home directory.

        Raises:
            RuntimeError: It has ended.

        """
        emulator = running_emulator(self.home / "embedded" / "server")
        if emulator is None:
            raise RuntimeError("the local AWS has ended")
        return emulator

    def zone(self, name: str) -> str:
        """Create a hosted zone in the emulator, as if a user had one, and return its id."""
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        route53 = boto3.client("route53", region_name="us-east-1", endpoint_url=self.local.endpoint, **keys)
        made = route53.create_hosted_zone(Name=name, CallerReference=name)
        return str(made["HostedZone"]["Id"].rpartition("/")[2])

    def mutating(self, since: int = 0) -> tuple[int, int]:
        """Return the number of all calls to the emulator, and of the mutating ones after the first `since`.

        The count of all calls serves as `since` of a later call.
        """
        emulator = self.local
        _, calls = ask(emulator.endpoint, emulator.token, "GET", "calls?since=0")
        return len(calls), sum(bool(call["mutating"]) for call in calls[since:])

    def record(self, suffix: str) -> dict[str, Any]:
        """Return the record of the last run of a stack."""
        return next(FileRunStore(self.home / "embedded" / "runs").records_of(suffix))


@contextmanager
def place(pace: float | None = 0.0, root: Path = ROOT, speed_option: str = "--speed") -> Iterator[Place]:
    """Yield a new home directory, and stop its emulator afterwards.

    Args:
        pace: The speed of the emulator, which is started at once; None to let the first command start it.
        root: The checkout whose commands are run.
        speed_option: The option by which its `local start` takes the speed.

    """
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        here = Place(Path(home), root=root)
        try:
            if pace is not None:
                here.run("local", "start", speed_option, str(pace))
            yield here
        finally:
            here.run("local", "stop")
