"""`python -m tests.faults`: the fault matrix, a shard or a sample of it; the last line sums it up."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from provisioner.emulator.emulator import Emulator
from provisioner.settings.profiles import PROFILES
from tests.faults.fault_case import FaultCase, Verdict
from tests.faults.forked_run import play_cases
from tests.faults.matrix import Results, cases, count_mutating_calls, one_per_operation, sample, shard, summary
from tests.faults.strongest_profile import STRONGEST, StrongestWorld
from tests.faults.world import World

_FOREIGN = ("AWS_", "MLAPI_", "MOTO_", "ENVIRONMENT_SUFFIX", "DB_PASSWORD")


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen cases; return 1 if anything is left, made twice or stuck."""
    options = _parser().parse_args(arguments)
    if options.join:
        parts = [Results.load(path) for path in options.join]
        return _print_summary(max(part.calls for part in parts), [v for part in parts for v in part.verdicts.values()])
    file = options.resume or Path(tempfile.mkdtemp(prefix="faults-")) / "results.jsonl"
    results = Results.load(file.absolute())
    _isolate_environment()
    gc.disable()  # a child lives for seconds, so its garbage need not be collected
    with _world(options).open() as world:
        gc.collect()
        gc.freeze()
        calls = count_mutating_calls(world.counts)
        chosen = _select_cases(cases(world.counts), options)
        results.begin(calls)
        sys.stderr.write(f"{len(chosen)} cases; results in {results.path}\n")

        def on_verdict(verdict: Verdict) -> None:
            results.add(verdict)
            if not verdict.passed:
                sys.stderr.write(f"{verdict}\n")

        pending = [case for case in chosen if str(case) not in results.verdicts]
        play_cases(world, pending, on_verdict, each=options.each)
    return _print_summary(calls, results.verdicts.values())


def _world(options: argparse.Namespace) -> World:
    home = Path("home").absolute()
    if options.profile == STRONGEST:
        return StrongestWorld(Emulator(), home, options.pace)
    return World(Emulator(), home, options.pace, options.profile)


def _select_cases(every: list[FaultCase], options: argparse.Namespace) -> list[FaultCase]:
    """Return the cases of the chosen faults and operations, one of each or a sample, then the shard."""
    if options.fault:
        every = [one for one in every if one.faults[0].fault in options.fault]
    if options.operation:
        every = [one for one in every if one.faults[0].operation.startswith(tuple(options.operation))]
    if options.each_operation:
        every = one_per_operation(every, options.seed)
    at, of = (int(part) for part in options.shard.split("/"))
    return shard(sample(every, options.sample, options.seed) if options.sample else every, at, of)


def _print_summary(calls: int, verdicts: Iterable[Verdict]) -> int:
    known = list(verdicts)
    sys.stdout.write(summary(calls, known) + "\n")
    return 0 if known and all(one.passed for one in known) else 1


def _isolate_environment() -> None:
    """Leave the user's settings, credentials and states out."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]
    os.chdir(tempfile.mkdtemp(prefix="faults-"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="the I-th of N equal shares")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="resume from the results in this file")
    parser.add_argument("--sample", type=int, metavar="K", help="only K cases, chosen by --seed")
    parser.add_argument("--fault", action="append", default=[], help="only this fault; repeatable")
    parser.add_argument(
        "--operation", action="append", default=[], help="only operations that begin so, such as kms:; repeatable"
    )
    parser.add_argument("--each-operation", action="store_true", help="one call of each operation is enough")
    parser.add_argument("--each", action="store_true", help="also play cases that have the verdict of another")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=1.0, help="1, the default, is as slow as AWS")
    parser.add_argument("--profile", default="seed", choices=[*PROFILES, STRONGEST])
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="only sum up the results in these files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
