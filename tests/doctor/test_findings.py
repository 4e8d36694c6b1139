"""Every finding that `doctor` can make is brought about on the local AWS."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import provisioner.doctor
from provisioner.doctor.checks import CHECKS
from tests.support.breakages import BREAKS

TESTS = Path(__file__).parents[1]
# What a stack of another shape is needed for, and the test that has one.
OTHER_SHAPES = {
    "doctor/test_partial_stacks.py": {
        "balancer-absent",
        "cluster-absent",
        "distribution-absent",
        "endpoint-shut",
        "service-absent",
        "vpc-absent",
        "vpc-origin-on-its-way",
    },
    "resources/test_native_strategies.py": {"deployment-under-way", "deployment-waits"},
}


def names_in(source: str) -> Iterator[str]:
    """The name that each finding of a module is made with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _makes(node.func):
            name = node.args[0]
            assert isinstance(name, ast.Constant), ast.unparse(node)
            yield str(name.value)


def _makes(called: ast.expr) -> bool:
    return (isinstance(called, ast.Name) and called.id == "Finding") or (
        isinstance(called, ast.Attribute) and called.attr == "missing_finding"
    )


def made() -> list[str]:
    """The names of all findings, each as often as it is made."""
    [folder] = provisioner.doctor.__path__
    modules = (one for one in sorted(Path(folder).glob("*.py")) if one.name != "check.py")
    return [name for one in modules for name in names_in(one.read_text())]


def test_every_finding_is_brought_about() -> None:
    elsewhere = set().union(*OTHER_SHAPES.values())

    assert {one.finding for one in BREAKS} | elsewhere == set(made())
    for name, findings in OTHER_SHAPES.items():
        text = (TESTS / name).read_text()
        assert all(f'"{finding}"' in text for finding in findings)


def test_a_name_stands_for_one_finding() -> None:
    # A secret of ours is created by an apply, the user's by a command.
    twice = {name for name, times in Counter(made()).items() if times > 1}
    assert twice == {"secret-absent"}


def test_what_has_no_break_is_seen() -> None:
    assert list(names_in("def f(): return Finding('new', what, why, 'apply')")) == ["new"]
    assert list(names_in("result.missing_finding('gone', why)")) == ["gone"]


def test_every_break_is_of_a_check() -> None:
    assert {one.check for one in BREAKS} <= {one.name for one in CHECKS}
