"""One cell of the matrix: which command, which fault, at which call; and how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

APPLY, TEARDOWN, BOTH = "apply", "teardown", "apply-then-teardown"
SCENARIOS = (APPLY, TEARDOWN, BOTH)

# At a call of AWS; those named "after" or "lost" strike when it has taken effect.
AT_CALLS = (
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
# At a write of the ledger: the process dies with the old document or with the new one on disk.
AT_WRITES = ("kill_before_rename", "kill_after_rename", "disk_full", "read_only")
LEDGER = "ledger"
# A call that may be sent again is: the run that met one of these must itself go well.
PASSING = {"lost_reply", "cut_reply", "500_before", "500_after", "503_before", "throttle", "reset"}
PASSING |= {"garbled_reply", "dripped_reply", "429_before", "request_timeout", "proxy_away", "tls_cut"}
# The exit code of the run that met a fault and lives.
ENDS = {**dict.fromkeys(PASSING, 0), "access_denied": 4, "expired": 3, "disk_full": 1, "read_only": 1}
# How a killed command ends.
KILLED = -9
# A denial that lasts, of the tag that says which run is at work.
_MARK, _UNMARK = "iam:TagRole", "iam:UntagRole"


@dataclass(frozen=True)
class InjectedFault:
    """A fault at the `nth` call of an operation, at the `nth` mutating call ("") or write ("ledger")."""

    fault: str
    operation: str
    nth: int

    def __str__(self) -> str:
        return f"{self.fault} at {self.operation or 'call'} {self.nth}"


@dataclass(frozen=True)
class FaultCase:
    """One scenario with one fault, or with several."""

    scenario: str
    strikes: tuple[InjectedFault, ...]

    def __str__(self) -> str:
        return f"{self.scenario}: {' and '.join(str(one) for one in self.strikes)}"

    @property
    def due(self) -> tuple[int, ...]:
        """The exit codes that the first command may end with, where its first fault strikes.

        A run that cannot renew its mark ends before the mark runs out, or stops when it may have; one that
        stands unmarked has begun nothing; one that cannot take it off says so, and it runs out by itself.
        """
        strike = self.strikes[0]
        lasts = strike.fault in ("access_denied", "expired")
        if lasts and strike.operation == _UNMARK:
            return (0,)
        if strike.fault == "access_denied" and strike.operation == _MARK:
            return (1,) if self.scenario == TEARDOWN and strike.nth == 1 else (0, 7)
        return (ENDS.get(strike.fault, KILLED),)


@dataclass
class Verdict:
    """What AWS held at the end that it should not, or why the end was not reached."""

    case: str
    codes: list[int] = field(default_factory=list)
    struck: int = 0
    orphans: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    stuck: str = ""
    # The case that was played in its place, as what is left to happen is the same.
    alike: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether it ended as an undisturbed run ends."""
        return not (self.orphans or self.duplicates or self.stuck)

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON."""
        return asdict(self)
