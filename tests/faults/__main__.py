"""`python -m tests.faults`: the whole matrix, a share or a sample; the last line says what it came to."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from provisioner.embedded.box import Box
from provisioner.settings.profiles import PROFILES
from tests.faults.case import Verdict
from tests.faults.matrix import Results, calls_of, cases, line, play, sample
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
    with World(Box(), Path("home").absolute(), asked.pace, asked.profile).open() as world:
        gc.freeze()
        calls = calls_of(world.counts)
        at, of = (int(part) for part in asked.shard.split("/"))
        faults = set(asked.fault)
        every = [one for one in cases(world.counts) if not faults or one.strikes[0].fault in faults]
        chosen = (sample(every, asked.sample, asked.seed) if asked.sample else every)[at - 1 :: of]
        results.begin(calls)
        sys.stderr.write(f"{len(chosen)} cases; results in {results.path}\n")
        for verdict in play(world, chosen, results.verdicts):
            results.add(verdict)
            if not verdict.is_good:
                sys.stderr.write(f"{verdict}\n")
    return _end(calls, results.verdicts.values())


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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.0, help="1 is as slow as AWS; 0 by default")
    parser.add_argument("--profile", default="seed", choices=list(PROFILES))
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="only tell what these came to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
