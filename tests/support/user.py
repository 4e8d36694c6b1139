"""A user's place before the local AWS: commands go through the command line, as a user's do."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cli
from provisioner.commands.main import main
from provisioner.emulator.control_client import STATE
from provisioner.emulator.server import LocalAws

ROOT = Path(cli.__file__).parent


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class User:
    """One user: a home for ledgers, and the local AWS that `--local` finds there."""

    box: LocalAws
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def before(cls, box: LocalAws, home: Path) -> User:
        """A new user before an empty AWS."""
        box.behave(behaviours=True, speed=0.0)
        box.reset()
        user = cls(box, home)
        user._point_at_the_box()
        return user

    def _point_at_the_box(self, pace: float = 0.0) -> None:
        """Write what `local start` would have: the box is served by this very process."""
        folder = self.home / "embedded" / "server"
        folder.mkdir(parents=True, exist_ok=True)
        told = {"endpoint": self.box.endpoint, "pid": os.getpid(), "instance": self.box.emulator.instance}
        told |= {"pace": pace, "manners": True, "started": "now", "token": self.box.emulator.token}
        (folder / STATE).write_text(json.dumps(told))

    def slow(self, pace: float) -> None:
        """From now on AWS takes its time: `pace` times as long as it really does."""
        self.box.behave(behaviours=True, speed=pace)
        self._point_at_the_box(pace)

    def ledger(self, suffix: str) -> Path:
        """The file of a stack's ledger."""
        return self.home / "embedded" / f"{suffix}.json"

    def known(self, suffix: str) -> dict[str, Any]:
        """A stack's ledger."""
        return dict(json.loads(self.ledger(suffix).read_text()))

    def run(self, *arguments: str, local: bool = True) -> CommandResult:
        """One command, in this process."""
        given = [*arguments, "--local"] if local else list(arguments)
        out, err = io.StringIO(), io.StringIO()
        with (
            _environment({"MLAPI_HOME": str(self.home), **self.environment}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _stdin(),
        ):
            try:
                main(given)
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                gc.enable()
        return CommandResult(code, out.getvalue(), err.getvalue())

    def well(self, *arguments: str) -> CommandResult:
        """One command that must go well."""
        ran = self.run(*arguments)
        assert ran.code == 0, ran.err
        return ran

    def apply(self, suffix: str, *more: str) -> CommandResult:
        """Bring a stack up; a plan right after it must have nothing to say, and must change nothing."""
        ran = self.well("apply", "--yes", "--suffix", suffix, *more)
        before = self.mark()
        assert self.plan(suffix, *more) == "No changes.\n"
        assert self.acts(before) == []
        return ran

    def plan(self, suffix: str, *more: str) -> str:
        """What a plan says."""
        return self.well("plan", "--suffix", suffix, *more).out

    def teardown(self, suffix: str, *more: str) -> CommandResult:
        """Take a stack down."""
        return self.well("teardown", "--yes", "--suffix", suffix, *more)

    def mark(self) -> int:
        """The number of calls so far."""
        called = self.box.calls()
        return int(called[-1]["n"]) if called else 0

    def acts(self, since: int = 0) -> list[str]:
        """The mutating calls after a mark that AWS carried out."""
        return [
            f"{call['service']}:{call['operation']}"
            for call in self.box.calls(since)
            if call["mutating"] and not call["error"]
        ]

    def tries(self, since: int = 0) -> list[str]:
        """The mutating calls after a mark, the refused ones too."""
        return [f"{call['service']}:{call['operation']}" for call in self.box.calls(since) if call["mutating"]]

    def spawn(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """One command in a process of its own, as a user starts it; `more` is of its environment."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MLAPI_HOME": str(self.home), **self.environment, **more},
        )

    def process(self, *arguments: str, **more: str) -> CommandResult:
        """One command in a process of its own, to its end."""
        with self.spawn(*arguments, **more) as process:
            out, err = process.communicate(timeout=120)
        return CommandResult(process.returncode, out, err)

    def elsewhere(self, home: Path) -> User:
        """Another user before the same AWS, who knows of no stack."""
        other = dataclasses.replace(self, home=home)
        other._point_at_the_box()
        return other


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    former = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(former)


@contextlib.contextmanager
def _stdin() -> Iterator[None]:
    former, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = former
