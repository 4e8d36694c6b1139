"""`python -m tests.mutants`: the mutants of the modules of modules.toml, a shard or a sample of them."""

from __future__ import annotations

import argparse
import importlib
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from tests.mutants.modules import LEAST_SCORE, Module, modules, survivors
from tests.mutants.mutation import Mutant
from tests.mutants.runner import NOT_VIABLE, SURVIVED, Verdict, play_mutants

# What all tests import, and no module of the product is: read once, for all forks.
_PACKAGES = ("boto3", "botocore.session", "click", "pydantic", "rich.console", "tenacity", "moto.server")


def main(arguments: list[str] | None = None) -> int:
    """Play the chosen mutants; return 1 if one survives that is not listed, or a module's score is too low."""
    options = _parser().parse_args(arguments)
    if options.join:
        return _sum_up({name: verdict for path in options.join for name, verdict in _load(path).items()}, is_whole=True)
    file = options.resume or Path(tempfile.mkdtemp(prefix="mutants-")) / "results.jsonl"
    for package in _PACKAGES:
        importlib.import_module(package)
    chosen = choose(options)
    sys.stderr.write(f"{sum(map(len, chosen.values()))} mutants, MUTANT_SEED={options.seed}; results in {file}\n")
    verdicts = _load(file)
    for module in modules():
        pending = [mutant for mutant in chosen.get(module.name, []) if mutant.name not in verdicts]
        with file.open("a") as results:
            for verdict in play_mutants(pending, module.tests):
                verdicts[verdict.mutant] = verdict
                results.write(json.dumps(asdict(verdict)) + "\n")
                results.flush()
                if verdict.outcome == SURVIVED and verdict.mutant not in survivors().get(module.name, {}):
                    sys.stderr.write(f"survived: {verdict.mutant}\n")
    return _sum_up(verdicts, is_whole=options.shard == "1/1" and not options.sample)


def choose(options: argparse.Namespace) -> dict[str, list[Mutant]]:
    """Return the chosen mutants by module: a shard of all, or a sample of a few modules by the seed."""
    at, of = (int(part) for part in options.shard.split("/"))
    every = [module for module in modules() if not options.module or module.name in options.module]
    if not options.sample:
        return {module.name: module.mutants()[at - 1 :: of] for module in every}
    chance = random.Random(options.seed)
    few = chance.sample(every, min(options.modules, len(every)))
    found = [(module.name, mutant) for module in few for mutant in module.mutants()]
    drawn = chance.sample(found, min(options.sample, len(found)))
    return {module.name: [mutant for name, mutant in drawn if name == module.name] for module in few}


def _sum_up(verdicts: dict[str, Verdict], *, is_whole: bool) -> int:
    """Print the score of each module; of a part of the mutants, only unlisted survivors count."""
    failures = 0
    for module in modules():
        found = [verdicts[mutant.name] for mutant in module.mutants() if mutant.name in verdicts]
        viable = [verdict for verdict in found if verdict.outcome != NOT_VIABLE]
        if viable:
            killed = sum(verdict.is_killed for verdict in viable)
            unlisted = list(_unlisted(module, viable))
            sys.stdout.write(
                f"{module.name}: {killed} of {len(viable)} killed, {killed / len(viable):.3f}; "
                f"{len(unlisted)} survivors without a reason\n"
            )
            failures += bool(unlisted) or (is_whole and killed / len(viable) < LEAST_SCORE)
    return int(failures > 0)


def _unlisted(module: Module, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    listed = survivors().get(module.name, {})
    return (verdict for verdict in verdicts if not verdict.is_killed and verdict.mutant not in listed)


def _load(file: Path) -> dict[str, Verdict]:
    lines = file.read_text().splitlines() if file.exists() else []
    found = [Verdict(**json.loads(line)) for line in lines if line.endswith("}")]
    return {verdict.mutant: verdict for verdict in found}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="the I-th of N equal shares")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on from the results in this file")
    parser.add_argument("--module", action="append", default=[], help="only this module; repeatable")
    parser.add_argument("--sample", type=int, metavar="K", help="only K mutants, chosen by --seed")
    parser.add_argument("--modules", type=int, default=3, metavar="M", help="of a sample: from how many modules")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="only sum up the results in these files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
