"""The mutation run: what it mutates is there, its survivors only get fewer, and a mutant is told from the original."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.mutants import mutation
from tests.mutants.__main__ import choose
from tests.mutants.modules import LEAST_SCORE, Module, modules, survivors
from tests.mutants.mutation import ROOT, mutants_of

# How many survivors each module has. A number here is only ever made smaller: better tests are the way out.
MOST = {"lease": 3, "exception table": 4, "polling": 1}

CODE = """
LIMIT = 5


def is_small(number: int) -> bool:
    return number < LIMIT


class Box:
    @property
    def names(self) -> set[str]:
        return {"a", "b"}


def unused() -> None:
    print(1)
"""
TESTS = """
from made import LIMIT, Box, is_small

def test_it() -> None:
    assert is_small(4) and not is_small(6) and LIMIT == 5
    assert Box().names == {"a", "b"}
"""


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_and_its_tests_are_there(module: Module) -> None:
    assert module.files
    assert module.tests
    assert [path for path in (*module.files, *module.tests) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_survivor_is_a_mutant_that_there_is_has_a_reason_and_there_are_no_more_than_before(module: Module) -> None:
    listed = survivors().get(module.name, {})
    mutants = {mutant.name for mutant in module.mutants()}

    assert listed.keys() - mutants == set()
    assert [name for name, reason in listed.items() if len(reason.split()) < 4] == []
    assert len(listed) == MOST.get(module.name, 0), "make the number smaller, never larger"
    assert len(listed) <= (1 - LEAST_SCORE) * len(mutants)


def test_every_list_of_survivors_is_of_a_module() -> None:
    assert survivors().keys() | MOST.keys() <= {module.name for module in modules()}


def options(**given: Any) -> Any:
    return SimpleNamespace(**{"shard": "1/1", "module": [], "sample": None, "modules": 3, "seed": 0, **given})


def names(**given: Any) -> list[str]:
    return [mutant.name for mutants in choose(options(**given)).values() for mutant in mutants]


def test_shards_are_all_mutants_once() -> None:
    shards = [names(shard=f"{at}/3") for at in (1, 2, 3)]

    assert sorted(name for shard in shards for name in shard) == sorted(names())
    assert max(map(len, shards)) - min(map(len, shards)) <= len(modules())


def test_a_seed_chooses_the_same_sample_again_and_another_another() -> None:
    assert names(sample=20, seed=1) == names(sample=20, seed=1)
    assert len(names(sample=20, seed=1)) == 20
    assert set(names(sample=20, seed=1)) != set(names(sample=20, seed=2))


def test_every_module_is_in_the_sample_of_some_day() -> None:
    drawn = {module for seed in range(30) for module, found in choose(options(sample=30, seed=seed)).items() if found}

    assert drawn == {module.name for module in modules()}


PLAY = """
import json, sys
from pathlib import Path
from tests.mutants import live, mutation, runner

mutation.ROOT = live.ROOT = runner.ROOT = Path(sys.argv[1])
sys.path.insert(0, sys.argv[1])
verdicts = runner.play_mutants(mutation.mutants_of("made.py"), ["test_made.py"])
print(json.dumps({verdict.mutant.partition(" ")[2]: verdict.outcome for verdict in verdicts}))
"""


def played(folder: Path, more: str = "") -> dict[str, str]:
    """The outcome of each mutant of CODE, by TESTS and more; played in a process without threads."""
    (folder / "made.py").write_text(CODE)
    (folder / "test_made.py").write_text(TESTS + more)
    ran = subprocess.run(
        [sys.executable, "-c", PLAY, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_a_mutant_is_killed_by_the_test_that_tells_it_and_one_that_none_tells_survives(tmp_path: Path) -> None:
    outcomes = played(tmp_path)

    assert outcomes['Box.names: without "a"'] == "killed"
    assert outcomes["(module): LIMIT = 5 -> LIMIT = None"] == "killed"
    assert {name for name, outcome in outcomes.items() if outcome == "survived"} == {
        "is_small: < LIMIT -> <= LIMIT",
        "unused: print(1) -> print(None)",
        "unused: print(1) -> pass",
        "unused: 1 -> 2",
    }


def test_tests_that_fail_by_themselves_kill_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the tests fail without a mutant"):
        played(tmp_path, "    assert is_small(5)\n")


def test_the_wording_of_a_message_and_the_log_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    code = 'def f(x: int | None) -> None:\n    log.debug("a %d", x)\n    print("a word", f"{x + 1}")\n'
    (tmp_path / "one.py").write_text(code)

    assert [mutant.change for mutant in mutants_of("one.py")] == ['print("a word", f"{x + 1}") -> pass']
