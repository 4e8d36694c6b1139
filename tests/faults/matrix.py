"""All cases of the fault matrix, samples and shards of them, and a results file that a later run resumes."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cli
from tests.faults.fault_case import (
    APPLY,
    BOTH,
    CALL_FAULTS,
    RETRIED_FAULTS,
    SCENARIOS,
    STATE_WRITE,
    TEARDOWN,
    WRITE_FAULTS,
    FaultCase,
    InjectedFault,
    Verdict,
)

ROOT = Path(cli.__file__).parent


def cases(counts: dict[str, dict[str, int]]) -> list[FaultCase]:
    """Return each fault at each mutating call; `counts` are the calls of an undisturbed run by command."""
    return [
        FaultCase(scenario, (InjectedFault(fault, operation, nth),))
        for scenario in SCENARIOS
        for operation, count in sorted(counts[TEARDOWN if scenario == TEARDOWN else APPLY].items())
        for nth in range(1, count + 1)
        for fault in (WRITE_FAULTS if operation == STATE_WRITE else CALL_FAULTS)
        if not (scenario == BOTH and _equals_a_kill(fault))
    ]


def _equals_a_kill(fault: str) -> bool:
    """Return whether the fault and a kill after it equal the kill alone: the call had no effect and no reply."""
    return fault in RETRIED_FAULTS - {"lost_reply"} or fault == "read_only"


def sample(all_: list[FaultCase], size: int, seed: int) -> list[FaultCase]:
    """Return `size` random cases, in their order."""
    indexes = random.Random(seed).sample(range(len(all_)), min(size, len(all_)))
    return [all_[index] for index in sorted(indexes)]


def one_per_operation(all_: list[FaultCase], seed: int) -> list[FaultCase]:
    """Return one case of each scenario, operation and fault; the seed chooses at which of several calls."""
    groups: dict[tuple[str, str, str], list[FaultCase]] = {}
    for case in all_:
        [fault] = case.faults
        groups.setdefault((case.scenario, fault.operation, fault.fault), []).append(case)
    chance = random.Random(seed)
    return [chance.choice(group) for group in groups.values()]


def shard(all_: list[FaultCase], at: int, of: int) -> list[FaultCase]:
    """Return the `at`-th of `of` shards; all faults at one call are in one shard, as some share a verdict."""

    def call_of(case: FaultCase) -> bytes:
        return f"{case.scenario} {[(one.operation, one.nth) for one in case.faults]}".encode()

    return [one for one in all_ if zlib.crc32(call_of(one)) % of == at - 1]


def fingerprint() -> str:
    """Return a hash of product and harness: results of other code do not count."""
    digest = hashlib.sha256()
    for folder in ("provisioner", "state", "tests/faults"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@dataclass
class Results:
    """The verdicts so far: one JSON line each, after a first line with the fingerprint of the code."""

    path: Path
    calls: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Results:
        """Return the results in a file; none if they are of other code or the first line is cut off."""
        results = cls(path)
        lines = path.read_text().splitlines() if path.exists() else []
        records = [json.loads(line) for line in lines if line.endswith("}")]
        if records and records[0].get("code") == fingerprint():
            results.calls = records[0]["calls"]
            results.verdicts = {one["case"]: Verdict(**one) for one in records[1:]}
        return results

    def begin(self, calls: int) -> None:
        """Write the file anew with the verdicts that are known."""
        self.calls = calls
        lines = [{"code": fingerprint(), "calls": calls}, *(one.as_dict() for one in self.verdicts.values())]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def add(self, verdict: Verdict) -> None:
        """Append one verdict to the file."""
        self.verdicts[verdict.case] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps(verdict.as_dict()) + "\n")


def summary(calls: int, verdicts: Iterable[Verdict]) -> str:
    """Return the results in one line."""
    known = list(verdicts)
    faults = {one.case.partition(": ")[2].partition(" at ")[0] for one in known}
    orphans, duplicates = (sum(len(getattr(one, name)) for one in known) for name in ("orphans", "duplicates"))
    stuck = sum(bool(one.stuck) for one in known)
    return (
        f"{calls} calls x {len(faults)} faults x {{{', '.join(SCENARIOS)}}}: "
        f"{orphans} orphans, {duplicates} duplicates, {stuck} stuck"
    )


def count_mutating_calls(counts: dict[str, dict[str, int]]) -> int:
    """Return the number of mutating calls of an undisturbed apply and teardown."""
    return sum(number for of in counts.values() for name, number in of.items() if name != STATE_WRITE)
