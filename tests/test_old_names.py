"""The private words of earlier versions are gone from the code: none of them names anything again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli

ROOT = Path(cli.__file__).parent
# ARCHITECTURE.md's glossary has the word that stands in the place of each.
GONE = set((ROOT / "tests" / "old_names.txt").read_text().split())
FILES = [path for folder in ("provisioner", "state") for path in sorted((ROOT / folder).rglob("*.py"))]


def names_in(tree: ast.AST) -> Iterator[str]:
    """Each name of a class, function, attribute, parameter, keyword or variable."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg


def test_the_list_finds_a_name_wherever_it_stands() -> None:
    source = "class Hands:\n    def patience(self, shelf): self.ledger = scene(veiled=piece)\n"

    assert {"Hands", "patience", "shelf", "ledger", "scene", "veiled", "piece"} <= set(names_in(ast.parse(source)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_an_old_name(path: Path) -> None:
    assert path.stem not in GONE
    assert GONE.intersection(names_in(ast.parse(path.read_text()))) == set()
