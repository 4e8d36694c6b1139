"""`make bench`: the tables of issues 5 and 23, measured; exits with 1 where a row is missed."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import against, quick, slow
from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results.md"
_HEAD = ("what", "measured", "wanted", "met", "beside it")
# The numbers of issue 5: measured in November 2026, AWS provider 5.100, an instant emulator, 2 cores.
TERRAFORM = """Terraform 1.11 with the AWS provider 5.100, the same stack, on an instant emulator on 2 cores,
measured in November 2026: apply 141 s and 212 calls (the provider sleeps fixed times after most creates),
a no-op plan 17.7 s and 83 calls, destroy 85 s."""


def main() -> int:
    """Run the benchmarks, print the table, and write it to results.md; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    asked.add_argument("--runs", type=int, default=5, help="runs of what is quick")
    asked.add_argument("--against-runs", type=int, default=7, help="runs of each build in turn")
    asked.add_argument("--slow-runs", type=int, default=3, help="runs at a tenth of AWS's pace")
    asked.add_argument("--stacks", type=int, default=20, help="stacks of `plan --all`")
    asked.add_argument("--part", choices=["quick", "slow", "against"], help="only these rows; nothing is written")
    given = asked.parse_args()
    load = os.getloadavg()[0]
    found = []
    for row in _measured(given):
        print(" | ".join(_cells(row)), flush=True)  # noqa: T201 - this is the answer
        found.append(row)
    if not given.part:
        RESULTS.write_text("\n".join([*_about(given, load), *_table(found), "", TERRAFORM, ""]))
    return 0 if all(row.is_met for row in found) else 1


def _measured(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the selected parts."""
    if given.part in (None, "quick"):
        yield from quick.rows(given.runs, given.stacks)
    if given.part in (None, "against"):
        yield from against.rows(given.against_runs)
    if given.part in (None, "slow"):
        yield from slow.rows(given.slow_runs)


def _about(given: argparse.Namespace, load: float) -> Iterator[str]:
    """Yield the lines above the table: the machine, and how it was measured."""
    yield "# Benchmarks\n"
    machine = f"{os.cpu_count()} cores of {_processor()}, {platform.system()}"
    yield f"By `make bench` on {time.strftime('%Y-%m-%d')}: {machine}, Python {platform.python_version()},"
    yield f"load {load:.1f} at the start. Whole processes before the local AWS on the same machine;"
    yield f"medians of {given.runs} runs, of {given.slow_runs} at speed 0.1 (one where all edges wait for"
    yield "readiness), the least and the most in brackets.\n"


def _processor() -> str:
    """Return the name of the processor."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _table(found: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table as Markdown."""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for row in found:
        yield f"| {' | '.join(_cells(row))} |"


def _cells(row: Row) -> tuple[str, ...]:
    """Return the cells of a row."""
    met = "" if not row.wanted else "yes" if row.is_met else "**no**"
    return row.what, row.measured, row.wanted, met, row.beside


if __name__ == "__main__":
    sys.exit(main())
