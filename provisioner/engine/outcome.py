"""What a run came to: what was done, what failed and why, what was not touched."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from provisioner.engine.explain import explain
from provisioner.errors import (
    CredentialsError,
    Incomplete,
    Interrupted,
    LedgerError,
    LockHeld,
    OutOfPatience,
    ProvisionerError,
    RolledBack,
)

# Where several things failed, the first of these gives the exit code.
_LOUDEST = (LockHeld, LedgerError, CredentialsError, RolledBack, Interrupted, OutOfPatience)
# After one of these nothing else of the run can be done either.
FATAL = (LedgerError, LockHeld, CredentialsError)


@dataclass
class Outcome:
    """The end of one apply or teardown."""

    verb: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, ProvisionerError] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    interrupted: int = 0
    seconds: float = 0.0
    # What AWS had left behind by itself, and was swept up.
    swept: list[str] = field(default_factory=list)
    # What must outlive the stack, and for whose sake.
    kept: dict[str, str] = field(default_factory=dict)
    # What bears the name of one of ours and is somebody else's, in words.
    theirs: dict[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed, and nothing was left undone."""
        return not self.failed and not self.undone

    def leave_out(self, kept: Set[str]) -> None:
        """Count as the plan counted: in changes, without what was only looked at."""
        self.done = [name for name in self.done if name not in kept]
        self.undone = [name for name in self.undone if name not in kept]

    @contextmanager
    def noting(self, name: str, doing: str) -> Iterator[None]:
        """Inside, an error of a call is noted as the failure of `name`; a fault of our own is raised."""
        try:
            yield
        except Exception as error:
            known = explain(error, doing)
            if known is None:
                raise
            self.failed[name] = known

    def followed_by(self, other: Outcome) -> Outcome:
        """Both, as one."""
        return Outcome(
            self.verb,
            self.done + other.done,
            self.failed | other.failed,
            self.undone + other.undone,
            self.interrupted or other.interrupted,
            self.seconds + other.seconds,
            self.swept + other.swept,
            self.kept | other.kept,
            self.theirs | other.theirs,
        )

    def error(self) -> ProvisionerError | None:
        """What the command ends with; None when all is done."""
        if self.interrupted:
            return self._stopped()
        if self.is_whole:
            return None
        return self._failure()

    def _stopped(self) -> ProvisionerError:
        waiting = [node for node, error in self.failed.items() if isinstance(error, Interrupted)]
        refused = {node: error for node, error in self.failed.items() if node not in waiting}
        failed = f", {len(refused)} failed" if refused else ""
        told = "".join(f"\n  {node}: {error.message}" for node, error in refused.items())
        return Interrupted(
            f"{self.verb} was stopped: {len(self.done)} done, {len(waiting)} under way{_named(waiting)}"
            f"{failed}, {len(self.undone)} not begun.{told}",
            "All that was done is recorded. Run the same command again: it goes on from there.",
            self.interrupted,
        )

    def _failure(self) -> ProvisionerError:
        told = "\n".join(f"  {node}: {error.message}" for node, error in self.failed.items())
        rest = f"\nNot touched: {', '.join(self.undone)}." if self.undone else ""
        hints = list(dict.fromkeys(error.hint for error in self.failed.values() if error.hint))
        kinds = [type(error) for error in self.failed.values()]
        kind = next((loud for loud in _LOUDEST if any(issubclass(one, loud) for one in kinds)), Incomplete)
        count = f"{len(self.failed)} failed, {len(self.done)} done, {len(self.undone)} not touched"
        evidence = "\n".join(error.evidence for error in self.failed.values() if error.evidence)
        error = kind(f"{self.verb} is incomplete: {count}.\n{told}{rest}", "\n".join(hints))
        error.evidence = evidence
        return error


def _named(nodes: list[str]) -> str:
    return f" ({', '.join(nodes)})" if nodes else ""
