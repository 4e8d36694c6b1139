"""`python -m tests.faults`: the whole matrix, a share or a sample; the last line says what it came to."""

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
from tests.faults.case import FaultCase, Verdict
from tests.faults.matrix import Results, calls_of, cases, line, one_each, sample, share
from tests.faults.snapshots import play
from tests.faults.strongest import STRONGEST, FullWorld
from tests.faults.world import World

_FOREIGN = ("AWS_", "MLAPI_", "MOTO_", "ENVIRONMENT_SUFFIX", "DB_PASSWORD")


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 unless nothing at all is left, twice or stuck."""
    asked = _parser().parse_args(arguments)
    if asked.join:
        parts = [Results.load(path) for path in asked.join]
        return _end(max(part.calls for part in parts), [v for part in parts for v in part.verdicts.values()])
    file = asked.resume or Path(tempfile.mkdtemp(prefix="faults-")) / "results.jsonl"
    results = Results.load(file.absolute())
    _leave_home()
    gc.disable()  # a child lives for seconds: what it would collect, its end frees
    with _world(asked).open() as world:
        gc.collect()
        gc.freeze()
        calls = calls_of(world.counts)
        chosen = _chosen(cases(world.counts), asked)
        results.begin(calls)
        sys.stderr.write(f"{len(chosen)} cases; results in {results.path}\n")

        def told(verdict: Verdict) -> None:
            results.add(verdict)
            if not verdict.is_good:
                sys.stderr.write(f"{verdict}\n")

        ahead = [case for case in chosen if str(case) not in results.verdicts]
        play(world, ahead, told, each=asked.each)
    return _end(calls, results.verdicts.values())


def _world(asked: argparse.Namespace) -> World:
    home = Path("home").absolute()
    if asked.profile == STRONGEST:
        return FullWorld(Emulator(), home, asked.pace)
    return World(Emulator(), home, asked.pace, asked.profile)


def _chosen(every: list[FaultCase], asked: argparse.Namespace) -> list[FaultCase]:
    """Those of the faults and operations that are asked for; one of each, or a sample; then a share."""
    if asked.fault:
        every = [one for one in every if one.strikes[0].fault in asked.fault]
    if asked.operation:
        every = [one for one in every if one.strikes[0].operation.startswith(tuple(asked.operation))]
    if asked.each_operation:
        every = one_each(every, asked.seed)
    at, of = (int(part) for part in asked.shard.split("/"))
    return share(sample(every, asked.sample, asked.seed) if asked.sample else every, at, of)


def _end(calls: int, verdicts: Iterable[Verdict]) -> int:
    known = list(verdicts)
    sys.stdout.write(line(calls, known) + "\n")
    return 0 if known and all(one.is_good for one in known) else 1


def _leave_home() -> None:
    """Nothing of the user's counts here: no settings, no credentials, no ledgers."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]
    os.chdir(tempfile.mkdtemp(prefix="faults-"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="the I-th of N equal shares")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on with the results in this file")
    parser.add_argument("--sample", type=int, metavar="K", help="only K cases, chosen by --seed")
    parser.add_argument("--fault", action="append", default=[], help="only this fault; repeatable")
    parser.add_argument(
        "--operation", action="append", default=[], help="only those that begin so, as kms:; repeatable"
    )
    parser.add_argument("--each-operation", action="store_true", help="one call of each operation is enough")
    parser.add_argument("--each", action="store_true", help="play what comes to the same as another case, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=1.0, help="1, by default, is as slow as AWS")
    parser.add_argument("--profile", default="seed", choices=[*PROFILES, STRONGEST])
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="only tell what these came to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
