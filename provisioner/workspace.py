"""The workspace: which stacks are known here, where the state and the lock of each one are, and their errors."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.emulator.local import RunningEmulator, running_emulator
from provisioner.engine.run_marker.mark import stamp
from provisioner.errors import Incomplete, NoSuchStack, UsageError
from provisioner.names import PROGRAM, check_suffix
from provisioner.project_folder import find_home
from state.backend import Backend, FileBackend
from state.lock import Lock, LockClock
from state.run_store import FileRunStore, RunHistory, S3RunStore
from state.stack_state import StackState
from state.state_store import StateStore

if TYPE_CHECKING:
    from provisioner.bucket.address import Bucket

S3_SCHEME = "s3:"
# The prefix by which a state names the emulator's instance that holds the stack.
EMULATOR_PREFIX = "embedded:"


def current_timestamp() -> str:
    """Return the current time for use in names, which sort by it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


@dataclass(frozen=True)
class Workspace:
    """The place of the states: a folder, one file, or `s3://bucket/prefix`; those of local AWS are apart."""

    home: Path
    is_local: bool = False
    state_address: str = ""
    # The URL of the store that holds the state, if the stack's own calls to S3 go elsewhere.
    state_endpoint: str = ""

    @classmethod
    def here(cls, *, local: bool = False, state: str | None = None, state_endpoint: str | None = None) -> Workspace:
        """Return the workspace of MLAPI_HOME, of the working directory, or of the folder of the settings file."""
        home = Path(os.environ.get("MLAPI_HOME") or find_home())
        return cls(home, local, state or "", state_endpoint or "")

    @property
    def emulator_folder(self) -> Path:
        """The path where local AWS keeps what it needs to be found again."""
        return self.home / "embedded" / "server"

    @property
    def is_shared(self) -> bool:
        """Whether the state is in S3, where others see it too."""
        return self.state_address.startswith(S3_SCHEME)

    @cached_property
    def bucket(self) -> Bucket | None:
        """The bucket that holds the states; None if they are in a folder. It is looked up on first use."""
        if not self.is_shared:
            return None
        from provisioner.bucket.address import Bucket  # noqa: PLC0415 - boto3 is only for these

        return Bucket.parse(self.state_address, self.state_emulator(), endpoint=self.state_endpoint)

    @cached_property
    def backend(self) -> Backend:
        """The backend of the states."""
        if self.bucket:
            return self.bucket.backend
        return FileBackend(self._folder, Path(self.state_address) if self.state_address else None)

    def state_emulator(self) -> RunningEmulator | None:
        """Return the running local AWS whose bucket holds the state; None if the state is elsewhere.

        Raises:
            StateGone: That local AWS has ended; a new one would not have the bucket.

        """
        if not (self.is_shared and self.is_local):
            return None
        if emulator := running_emulator(self.emulator_folder):
            return emulator
        from provisioner.bucket.missing_bucket import local_aws_ended_error  # noqa: PLC0415 - only where it is needed

        raise local_aws_ended_error(self.state_address)

    @property
    def history(self) -> RunHistory:
        """The records of earlier runs: of all who share the state, or of this machine."""
        return self.backend.runs

    @property
    def shared_runs(self) -> S3RunStore | None:
        """The store for copies of run records that others read; None if the state is this machine's own."""
        runs = self.history
        return runs if isinstance(runs, S3RunStore) else None

    @property
    def runs(self) -> FileRunStore:
        """The records of earlier runs on this machine alone."""
        folder = Path(self.state_address).parent if self.state_address and not self.is_shared else self._folder
        return FileRunStore(folder / "runs")

    @property
    def _folder(self) -> Path:
        return self.home / "embedded" if self.is_local else self.home

    def store(self, suffix: str) -> StateStore:
        """Return the store of one stack's state."""
        return self.backend.store(suffix)

    def lock(self, suffix: str, command: str, timeout: float, clock: LockClock) -> Lock:
        """Return the lock of one stack; `timeout` is in seconds."""
        return self.backend.lock(suffix, command, timeout, clock)

    def load_state(self, suffix: str) -> StackState | None:
        """Return a stack's state; None if there is none, or only the claim of a first run."""
        store = self.store(suffix)
        text = store.load()
        state = StackState.parse(text, store.description) if text is not None else None
        return state if state and state.serial else None

    def quarantine(self, suffix: str) -> str:
        """Rename an unusable state, so that a new one can be written; return where it is now."""
        return self.store(suffix).quarantine(current_timestamp())

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that are known here."""
        return self.backend.suffixes()

    @property
    def only_suffix(self) -> str:
        """The suffix of the only stack that is known here; "" if there is none, or there are several."""
        suffixes = self.suffixes()
        return suffixes[0] if len(suffixes) == 1 else ""

    def choose_suffix(self, suffix: str | None) -> str:
        """Return the given suffix, or that of the only known stack.

        Raises:
            NoSuchStack: No stack is known.
            UsageError: Several stacks are known, or the suffix is invalid.

        """
        if suffix:
            return check_suffix(suffix)
        suffixes = self.suffixes()
        if len(suffixes) == 1:
            return suffixes[0]
        if not suffixes:
            raise NoSuchStack(
                f"No stack is known {self.description}.",
                f"Bring one up: `{self.command('apply')}`.{self.local_hint}",
            )
        raise UsageError(
            f"Several stacks are known {self.description}: {', '.join(suffixes)}.", "Say which one: `--suffix NAME`."
        )

    def unknown_stack_error(self, suffix: str) -> NoSuchStack:
        """Return the error for a suffix of which no state is known here."""
        suffixes = ", ".join(self.suffixes()) or "none"
        return NoSuchStack(
            f"No stack {suffix} is known {self.description}; known: {suffixes}.",
            f"If it stands in AWS, `{self.command('plan', suffix)}` shows what is found.{self.local_hint}",
        )

    def emulator_has_ended(self, state: StackState) -> bool:
        """Return whether the emulator that held a stack has ended, and with it all that it held."""
        endpoint = state.location.endpoint
        if not endpoint.startswith(EMULATOR_PREFIX):
            return False
        emulator = running_emulator(self.emulator_folder)
        return emulator is None or endpoint != f"{EMULATOR_PREFIX}{emulator.instance}"

    def check_emulator(self, suffix: str) -> None:
        """Raise NoSuchStack if the emulator that held the stack has ended; starts none."""
        state = self.load_state(suffix)
        if state and self.emulator_has_ended(state):
            raise self.emulator_ended_error(suffix)

    def emulator_ended_error(self, suffix: str) -> NoSuchStack:
        """Return the error for a stack whose emulator has ended."""
        return NoSuchStack(
            f"The local AWS that held the stack {suffix} has ended, and the stack with it; only its state "
            f"file is left ({self.store(suffix).description}).",
            f"`{self.command('apply', suffix)}` brings it up in a new local AWS; "
            f"`{self.command('teardown', suffix)}` removes what the state file tells.",
        )

    @property
    def local_hint(self) -> str:
        """A hint at the stacks in local AWS, if `--local` was left out; "" if there is none."""
        if self.is_local or self.state_address:
            return ""
        suffixes = Workspace(self.home, is_local=True).suffixes()
        return f"\nKnown with --local: {', '.join(suffixes)}." if suffixes else ""

    def command(self, command: str, suffix: str = "NAME") -> str:
        """Return a command to type next, with the options that select this workspace."""
        state = f" --state {self.state_address}" if self.state_address else ""
        state += f" --state-endpoint {self.state_endpoint}" if self.state_endpoint else ""
        return f"{PROGRAM} {command} --suffix {suffix}{' --local' if self.is_local else ''}{state}"

    @property
    def description(self) -> str:
        """The workspace as words in a message."""
        return f"in {self.backend.description}" + (" (local AWS)" if self.is_local else "")


def unfinished_teardown(state: StackState | None) -> str:
    """Return a clause that says since when a teardown is unfinished; "" if none is."""
    if state is None or not state.teardown_began:
        return ""
    return f"a teardown began at {stamp(state.teardown_began)} and has not ended"


def as_sentence(clause: str) -> str:
    """Return a clause with a capital letter at its beginning."""
    return clause[:1].upper() + clause[1:]


def next_steps(workspace: Workspace, suffix: str) -> str:
    """Return a sentence with the commands that finish a teardown, or bring the stack back up."""
    return (
        f"`{workspace.command('teardown', suffix)}` finishes it; "
        f"`{workspace.command('apply', suffix)}` brings the stack back up."
    )


def unfinished_stack_error(workspace: Workspace, suffix: str, state: StackState | None, noun: str) -> Incomplete:
    """Return the error that a stack has no `noun`, such as outputs: they are gone, or were never there."""
    if clause := unfinished_teardown(state):
        return Incomplete(f"The stack {suffix} has no {noun} any more: {clause}.", next_steps(workspace, suffix))
    return Incomplete(
        f"The stack {suffix} has no {noun} yet: no apply of the whole stack has ended well.",
        f"`{workspace.command('apply', suffix)}` goes on.",
    )
