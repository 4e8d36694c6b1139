"""One case of the fault matrix: which command, which fault, at which call; and its verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

APPLY, TEARDOWN, BOTH = "apply", "teardown", "apply-then-teardown"
SCENARIOS = (APPLY, TEARDOWN, BOTH)

# At a call to AWS; those with "after" or "lost" in their name happen once the call has taken effect.
CALL_FAULTS = (
    "kill_before",
    "kill_after",
    "lost_reply",
    "cut_reply",
    "500_before",
    "500_after",
    "503_before",
    "throttle",
    "reset",
    "garbled_reply",
    "dripped_reply",
    "429_before",
    "request_timeout",
    "proxy_away",
    "tls_cut",
    "access_denied",
    "expired",
)
# At a write of the state file: the process dies with the old or the new file on disk, or the write fails.
WRITE_FAULTS = ("kill_before_rename", "kill_after_rename", "disk_full", "read_only")
STATE_WRITE = "state"
# The call is sent again, or its result is found: the run that meets one of these must itself succeed.
RETRIED_FAULTS = {"lost_reply", "cut_reply", "500_before", "500_after", "503_before", "throttle", "reset"}
RETRIED_FAULTS |= {"garbled_reply", "dripped_reply", "429_before", "request_timeout", "proxy_away", "tls_cut"}
# The exit code of a run that meets a fault and is not killed.
EXIT_CODES = {**dict.fromkeys(RETRIED_FAULTS, 0), "access_denied": 4, "expired": 3, "disk_full": 1, "read_only": 1}
# The exit code of a killed command.
KILLED = -9
# The calls that write and remove the run mark (engine/run_marker).
_WRITE_RUN_MARK, _REMOVE_RUN_MARK = "iam:TagRole", "iam:UntagRole"


@dataclass(frozen=True)
class InjectedFault:
    """A fault at the `nth` call of an operation, at the `nth` mutating call ("") or state write ("state")."""

    fault: str
    operation: str
    nth: int

    def __str__(self) -> str:
        return f"{self.fault} at {self.operation or 'call'} {self.nth}"


@dataclass(frozen=True)
class FaultCase:
    """One scenario with one fault, or with several."""

    scenario: str
    faults: tuple[InjectedFault, ...]

    def __str__(self) -> str:
        return f"{self.scenario}: {' and '.join(str(one) for one in self.faults)}"

    @property
    def expected_exit_codes(self) -> tuple[int, ...]:
        """The exit codes that the first command may end with if its first fault happens.

        A run that cannot renew its run mark ends before the mark expires, or stops with exit code 7. A teardown
        that cannot write the mark has begun nothing. A run that cannot remove the mark warns; the mark expires.
        """
        fault = self.faults[0]
        lasts = fault.fault in ("access_denied", "expired")
        if lasts and fault.operation == _REMOVE_RUN_MARK:
            return (0,)
        if fault.fault == "access_denied" and fault.operation == _WRITE_RUN_MARK:
            return (1,) if self.scenario == TEARDOWN and fault.nth == 1 else (0, 7)
        return (EXIT_CODES.get(fault.fault, KILLED),)


@dataclass
class Verdict:
    """What the account holds at the end that it should not, or why the end was not reached."""

    case: str
    exit_codes: list[int] = field(default_factory=list)
    fired: int = 0
    orphans: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    stuck: str = ""
    # The case whose verdict this is, because the rest of both runs is the same.
    same_as: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the account ended as after an undisturbed run."""
        return not (self.orphans or self.duplicates or self.stuck)

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as a JSON object."""
        return asdict(self)
