"""The outcome of a run: what was done, what failed and why, and what was not started."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from provisioner.engine.calls.user_errors import user_error
from provisioner.errors import CredentialsError, Incomplete, Interrupted, RolledBack, WaitTimeout
from state.errors import LockHeld, ProvisionerError, StateError

# If several errors occurred, the first of these classes that is among them gives the exit code.
_EXIT_CODE_PRECEDENCE = (LockHeld, StateError, CredentialsError, RolledBack, Interrupted, WaitTimeout)
# After one of these errors the run cannot go on with any other resource.
FATAL = (StateError, LockHeld, CredentialsError)


@dataclass
class Outcome:
    """The outcome of one apply or teardown; resources are named by their logical ids."""

    action: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, ProvisionerError] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    interrupted: int = 0
    seconds: float = 0.0
    # Leftovers that AWS had created by itself, and that were deleted.
    cleaned_up: list[str] = field(default_factory=list)
    # The resources that must outlive the stack, and for whose sake.
    kept: dict[str, str] = field(default_factory=dict)
    # The resources that have a name of this stack but belong to somebody else, each described in words.
    foreign: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether everything was done: nothing failed, and nothing was left out."""
        return not self.failed and not self.undone

    def exclude(self, unchanged: Set[str], roles: Set[str]) -> None:
        """Remove unchanged resources, and done roles of the account, so that this counts as the plan did."""
        self.done = [name for name in self.done if name not in unchanged and name not in roles]
        self.undone = [name for name in self.undone if name not in unchanged]

    @contextmanager
    def recording(self, name: str, doing: str) -> Iterator[None]:
        """Record an error of an AWS call inside the block as the failure of `name`.

        Any other error is a bug in this program, and is raised.
        """
        try:
            yield
        except Exception as error:
            failure = user_error(error, doing)
            if failure is None:
                raise
            self.failed[name] = failure

    def add(self, part: Outcome) -> None:
        """Add the resources of a part of this run to its own; the time of the part is in it already."""
        self.done += part.done
        self.failed |= part.failed
        self.undone += part.undone
        self.kept |= part.kept
        self.foreign |= part.foreign

    def merged_with(self, other: Outcome) -> Outcome:
        """Return both outcomes as one."""
        return Outcome(
            self.action,
            self.done + other.done,
            self.failed | other.failed,
            self.undone + other.undone,
            self.interrupted or other.interrupted,
            self.seconds + other.seconds,
            self.cleaned_up + other.cleaned_up,
            self.kept | other.kept,
            self.foreign | other.foreign,
        )

    def error(self) -> ProvisionerError | None:
        """Return the error that the command ends with, or None if everything was done."""
        if self.interrupted:
            return self._interrupted_error()
        if self.is_complete:
            return None
        return self._incomplete_error()

    def _interrupted_error(self) -> ProvisionerError:
        waiting = [logical_id for logical_id, error in self.failed.items() if isinstance(error, Interrupted)]
        refused = {logical_id: error for logical_id, error in self.failed.items() if logical_id not in waiting}
        failed = f", {len(refused)} failed" if refused else ""
        messages = "".join(f"\n  {logical_id}: {error.message}" for logical_id, error in refused.items())
        return Interrupted(
            f"{self.action} was stopped: {len(self.done)} done, {len(waiting)} under way{_in_parentheses(waiting)}"
            f"{failed}, {len(self.undone)} not begun.{messages}",
            "All that was done is recorded. Run the same command again: it goes on from there.",
            self.interrupted,
        )

    def _incomplete_error(self) -> ProvisionerError:
        messages = "\n".join(f"  {logical_id}: {error.message}" for logical_id, error in self.failed.items())
        rest = f"\nNot touched: {', '.join(self.undone)}." if self.undone else ""
        hints = dict.fromkeys(line for error in self.failed.values() for line in error.hint.splitlines())
        error_class = next((c for c in _EXIT_CODE_PRECEDENCE if self._has_failure(c)), Incomplete)
        count = f"{len(self.failed)} failed, {len(self.done)} done, {len(self.undone)} not touched"
        evidence = "\n".join(error.evidence for error in self.failed.values() if error.evidence)
        error = error_class(f"{self.action} is incomplete: {count}.\n{messages}{rest}", "\n".join(hints))
        error.evidence = evidence
        return error

    def _has_failure(self, error_class: type[ProvisionerError]) -> bool:
        return any(isinstance(error, error_class) for error in self.failed.values())


def _in_parentheses(logical_ids: list[str]) -> str:
    return f" ({', '.join(logical_ids)})" if logical_ids else ""
