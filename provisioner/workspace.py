"""What this folder remembers: which stacks are known here, and where each one's ledger and lock are."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from provisioner.errors import NoSuchStack, UsageError
from provisioner.names import PROGRAM, check_suffix
from state.document import Document
from state.runs import Runs
from state.store import FileStore

DEFAULT_HOME = ".ml-api"


@dataclass(frozen=True)
class Workspace:
    """One folder of ledgers; rehearsals keep theirs apart from those of real stacks."""

    home: Path
    local: bool = False
    state: Path | None = None

    @classmethod
    def here(cls, *, local: bool = False, state: Path | None = None) -> Workspace:
        """The workspace of the working directory, or of MLAPI_HOME."""
        return cls(Path(os.environ.get("MLAPI_HOME") or DEFAULT_HOME), local, state)

    @property
    def embedded(self) -> Path:
        """Where the embedded AWS keeps what it needs to be found again."""
        return self.home / "embedded" / "server"

    @property
    def folder(self) -> Path:
        """Where the ledgers are."""
        return self.home / "embedded" if self.local else self.home

    def store(self, suffix: str) -> FileStore:
        """The file of one stack's ledger."""
        return FileStore(self.state or self.folder / f"{suffix}.json")

    @property
    def runs(self) -> Runs:
        """The records of earlier runs."""
        return Runs((self.state.parent if self.state else self.folder) / "runs")

    def lock(self, suffix: str) -> Path:
        """The file that is locked while the stack is changed."""
        path = self.store(suffix).path
        return path.with_name(f".{path.stem}.lock")

    def document(self, suffix: str) -> Document | None:
        """A stack's ledger as it stands; None where there is none."""
        store = self.store(suffix)
        text = store.load()
        return Document.parse(text, store.where) if text is not None else None

    def put_aside(self, suffix: str) -> Path:
        """Rename a ledger that cannot be used, so that a new one can be written; its new path."""
        path = self.store(suffix).path
        return path.rename(
            path.with_name(f"{path.name}.aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        )

    def reports(self, suffix: str) -> list[Path]:
        """The reports of this stack's teardowns, oldest first."""
        return sorted((self.store(suffix).path.parent / "reports").glob(f"teardown-{suffix}-[0-9]*Z.json"))

    def suffixes(self) -> list[str]:
        """The stacks that are known here."""
        if self.state:
            text = FileStore(self.state).load()
            return [Document.parse(text, str(self.state)).suffix] if text is not None else []
        return sorted(path.stem for path in self.folder.glob("*.json"))

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
                f"Bring one up: `{self.command('apply')}`.",
            )
        raise UsageError(
            f"Several stacks are known {self.words}: {', '.join(known)}.", "Say which one: `--suffix NAME`."
        )

    def command(self, verb: str, suffix: str = "NAME") -> str:
        """The command to type next, with what it must repeat to speak of this workspace."""
        state = f" --state {self.state}" if self.state else ""
        return f"{PROGRAM} {verb} --suffix {suffix}{' --local' if self.local else ''}{state}"

    @property
    def words(self) -> str:
        """The workspace in a message."""
        return f"in {self.state or self.folder}" + (" (rehearsals)" if self.local else "")
