"""What is remembered here: which stacks are known, and where each one's ledger and lock are."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from provisioner.embedded.local import running as running_embedded
from provisioner.embedded.local import start as start_embedded
from provisioner.errors import NoSuchStack, UsageError
from provisioner.names import PROGRAM, check_suffix
from state.archive import Archive, FolderArchive
from state.document import Document
from state.lock import Lock, Timer
from state.runs import History, Runs
from state.shared_runs import SharedRuns
from state.store import Store

DEFAULT_HOME = ".ml-api"
IN_S3 = "s3:"
# How the state file names the emulator that holds a stack, by its instance.
EMBEDDED = "embedded:"


def stamp() -> str:
    """The time as it stands in names; names sort as their times do."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


@dataclass(frozen=True)
class Workspace:
    """One archive of ledgers: a folder's, one file, or `s3://bucket/prefix`; rehearsals keep theirs apart."""

    home: Path
    local: bool = False
    state: str = ""
    # The URL of the store that the state is in, where it is not where the stack's own calls to S3 go.
    state_endpoint: str = ""

    @classmethod
    def here(
        cls, *, local: bool = False, state: str | None = None, state_endpoint: str | None = None
    ) -> Workspace:
        """The workspace of the working directory, or of MLAPI_HOME."""
        home = Path(os.environ.get("MLAPI_HOME") or DEFAULT_HOME)
        return cls(home, local, state or "", state_endpoint or "")

    @property
    def embedded(self) -> Path:
        """Where the embedded AWS keeps what it needs to be found again."""
        return self.home / "embedded" / "server"

    @property
    def is_shared(self) -> bool:
        """Whether the state is in S3, where others see it too."""
        return self.state.startswith(IN_S3)

    @cached_property
    def archive(self) -> Archive:
        """Where the ledgers are; one in S3 is found at the first look at it."""
        if self.is_shared:
            from provisioner.bucket.address import Bucket  # noqa: PLC0415 - boto3 is only for these

            local = start_embedded(self.embedded) if self.local else None
            return Bucket.at(self.state, local, endpoint=self.state_endpoint).archive
        return FolderArchive(self._folder, Path(self.state) if self.state else None)

    @property
    def history(self) -> History:
        """The records of earlier runs: of all who share the state, or of this machine."""
        return self.archive.runs

    @property
    def shared_runs(self) -> SharedRuns | None:
        """Where a run leaves a copy of its record for others; None where the state is this machine's."""
        runs = self.history
        return runs if isinstance(runs, SharedRuns) else None

    @property
    def runs(self) -> Runs:
        """The records of earlier runs, of this machine alone."""
        beside = Path(self.state).parent if self.state and not self.is_shared else self._folder
        return Runs(beside / "runs")

    @property
    def _folder(self) -> Path:
        return self.home / "embedded" if self.local else self.home

    def store(self, suffix: str) -> Store:
        """Where one stack's ledger is."""
        return self.archive.store(suffix)

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> Lock:
        """The lock on one stack."""
        return self.archive.lock(suffix, command, timeout, timer)

    def document(self, suffix: str) -> Document | None:
        """A stack's ledger as it stands; None where there is none, or only the claim of a first run."""
        store = self.store(suffix)
        text = store.load()
        document = Document.parse(text, store.where) if text is not None else None
        return document if document and document.serial else None

    def put_aside(self, suffix: str) -> str:
        """Rename a ledger that cannot be used, so that a new one can be written; where it is now."""
        return self.store(suffix).put_aside(stamp())

    def suffixes(self) -> list[str]:
        """The stacks that are known here."""
        return self.archive.suffixes()

    @property
    def only(self) -> str:
        """The only stack that is known here; empty where there is none, or there are several."""
        known = self.suffixes()
        return known[0] if len(known) == 1 else ""

    def choose(self, suffix: str | None) -> str:
        """The suffix given, or the only one known; else an error that lists what is known."""
        if suffix:
            return check_suffix(suffix)
        known = self.suffixes()
        if len(known) == 1:
            return known[0]
        if not known:
            raise NoSuchStack(
                f"No stack is known {self.words}.",
                f"Bring one up: `{self.command('apply')}`.{self.rehearsed}",
            )
        raise UsageError(
            f"Several stacks are known {self.words}: {', '.join(known)}.", "Say which one: `--suffix NAME`."
        )

    def unknown(self, suffix: str) -> NoSuchStack:
        """The error of a suffix that no ledger here tells of."""
        known = ", ".join(self.suffixes()) or "none"
        return NoSuchStack(
            f"No stack {suffix} is known {self.words}; known: {known}.",
            f"If it stands in AWS, `{self.command('plan', suffix)}` shows what is found.{self.rehearsed}",
        )

    def is_over(self, document: Document) -> bool:
        """Whether the emulator that held a stack runs no more: all that it held ended with it."""
        pinned = document.place.endpoint
        if not pinned.startswith(EMBEDDED):
            return False
        found = running_embedded(self.embedded)
        return found is None or pinned != f"{EMBEDDED}{found.instance}"

    def refuse_over(self, suffix: str) -> None:
        """Raise NoSuchStack where the emulator that held the stack has ended; starts none."""
        document = self.document(suffix)
        if document and self.is_over(document):
            raise self.over(suffix)

    def over(self, suffix: str) -> NoSuchStack:
        """Return the error of a stack whose emulator has ended."""
        return NoSuchStack(
            f"The local AWS that held the stack {suffix} has ended, and the stack with it; only its state "
            f"file is left ({self.store(suffix).where}).",
            f"`{self.command('apply', suffix)}` brings it up in a new local AWS; "
            f"`{self.command('teardown', suffix)}` removes what the state file tells.",
        )

    @property
    def rehearsed(self) -> str:
        """The way out for who has left `--local` out."""
        if self.local or self.state:
            return ""
        known = Workspace(self.home, local=True).suffixes()
        return f"\nRehearsals are known with --local: {', '.join(known)}." if known else ""

    def command(self, verb: str, suffix: str = "NAME") -> str:
        """The command to type next, with what it must repeat to speak of this workspace."""
        state = f" --state {self.state}" if self.state else ""
        state += f" --state-endpoint {self.state_endpoint}" if self.state_endpoint else ""
        return f"{PROGRAM} {verb} --suffix {suffix}{' --local' if self.local else ''}{state}"

    @property
    def words(self) -> str:
        """The workspace in a message."""
        return f"in {self.archive.where}" + (" (rehearsals)" if self.local else "")
