"""Every case there is, a share of them, and the results so far, in a file that a later run goes on with."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cli
from tests.faults.case import (
    APPLY,
    AT_CALLS,
    AT_WRITES,
    BOTH,
    LEDGER,
    PASSING,
    SCENARIOS,
    TEARDOWN,
    FaultCase,
    InjectedFault,
    Verdict,
)

ROOT = Path(cli.__file__).parent


def cases(counts: dict[str, dict[str, int]]) -> list[FaultCase]:
    """Each fault at each call that an undisturbed run makes; `counts` tells them for each command."""
    return [
        FaultCase(scenario, (InjectedFault(fault, operation, nth),))
        for scenario in SCENARIOS
        for operation, count in sorted(counts[TEARDOWN if scenario == TEARDOWN else APPLY].items())
        for nth in range(1, count + 1)
        for fault in (AT_WRITES if operation == LEDGER else AT_CALLS)
        if not (scenario == BOTH and _is_as_a_kill(fault))
    ]


def _is_as_a_kill(fault: str) -> bool:
    """Whether it and then a kill are the same as the kill alone: nothing took effect, nothing was told."""
    return fault in PASSING - {"lost_reply"} or fault == "read_only"


def sample(all_: list[FaultCase], size: int, seed: int) -> list[FaultCase]:
    """Some of them, in their order."""
    chosen = random.Random(seed).sample(range(len(all_)), min(size, len(all_)))
    return [all_[at] for at in sorted(chosen)]


def one_each(all_: list[FaultCase], seed: int) -> list[FaultCase]:
    """One case of each scenario, operation and fault: which call of several it meets, the seed says."""
    alike: dict[tuple[str, str, str], list[FaultCase]] = {}
    for case in all_:
        [strike] = case.strikes
        alike.setdefault((case.scenario, strike.operation, strike.fault), []).append(case)
    dice = random.Random(seed)
    return [dice.choice(some) for some in alike.values()]


def share(all_: list[FaultCase], at: int, of: int) -> list[FaultCase]:
    """The `at`-th of `of` shares: all faults at one call are in one, as some of them come to the same."""

    def at_one_call(case: FaultCase) -> bytes:
        return f"{case.scenario} {[(one.operation, one.nth) for one in case.strikes]}".encode()

    return [one for one in all_ if zlib.crc32(at_one_call(one)) % of == at - 1]


def fingerprint() -> str:
    """Stands for the code that is tested and that tests: results of other code do not count."""
    digest = hashlib.sha256()
    for folder in ("provisioner", "state", "tests/faults"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@dataclass
class Results:
    """The verdicts so far: one JSON line each, after a head that says of which code they are."""

    path: Path
    calls: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Results:
        """What a file holds; nothing where it is of other code, or cut off in its first line."""
        results = cls(path)
        lines = path.read_text().splitlines() if path.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("}")]
        if told and told[0].get("code") == fingerprint():
            results.calls = told[0]["calls"]
            results.verdicts = {one["case"]: Verdict(**one) for one in told[1:]}
        return results

    def begin(self, calls: int) -> None:
        """Write the file again, with what is known already."""
        self.calls = calls
        lines = [{"code": fingerprint(), "calls": calls}, *(one.as_dict() for one in self.verdicts.values())]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def add(self, verdict: Verdict) -> None:
        """Write one more down."""
        self.verdicts[verdict.case] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps(verdict.as_dict()) + "\n")


def line(calls: int, verdicts: Iterable[Verdict]) -> str:
    """The whole in one line."""
    known = list(verdicts)
    faults = {one.case.partition(": ")[2].partition(" at ")[0] for one in known}
    orphans, duplicates = (sum(len(getattr(one, name)) for one in known) for name in ("orphans", "duplicates"))
    stuck = sum(bool(one.stuck) for one in known)
    return (
        f"{calls} calls x {len(faults)} faults x {{{', '.join(SCENARIOS)}}}: "
        f"{orphans} orphans, {duplicates} duplicates, {stuck} stuck"
    )


def calls_of(counts: dict[str, dict[str, int]]) -> int:
    """How many calls of AWS an undisturbed apply and teardown make that change something."""
    return sum(number for of in counts.values() for name, number in of.items() if name != LEDGER)
