"""Which modules are mutated and by which tests they are held: `modules.toml`; and the survivors that have a reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutation import Mutant, mutants_of

FOLDER = Path(__file__).parent
LEAST_SCORE = 0.9


@dataclass(frozen=True)
class Module:
    """A part of the product by its name, its files, and the tests that alone must kill its mutants."""

    name: str
    files: list[str]
    tests: list[str]

    def mutants(self) -> list[Mutant]:
        """Return the mutants of all its files."""
        return [mutant for file in self.files for mutant in mutants_of(file)]


def modules() -> list[Module]:
    """Return the modules in the order of the file."""
    table = tomllib.loads((FOLDER / "modules.toml").read_text())
    return [Module(name, row["files"], row["tests"]) for name, row in table.items()]


def survivors() -> dict[str, dict[str, str]]:
    """Return, of each module, the mutants that may survive, each with its reason."""
    return {name: dict(row) for name, row in tomllib.loads((FOLDER / "survivors.toml").read_text()).items()}
