"""The promises of README and documentation with the tests that hold them, and the page that lists both."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import cli

ROOT = Path(cli.__file__).parent
PAGE = ROOT / "docs" / "explanation" / "promises.md"
HEAD = """# Promises

What this documentation promises, each sentence with the tests that fail if it is broken. The page is made from `tests/promises.toml` by `.venv/bin/python -m tests.support.promises`; `tests/test_promises.py` fails if a promise has no test, a named test is gone, or the page is out of date.
"""  # noqa: E501 - Markdown has a paragraph a line


@dataclass(frozen=True)
class Promise:
    """One sentence that holds, and the pytest ids (`tests/file.py::test_name`) of the tests that hold it."""

    topic: str
    name: str
    sentence: str
    tests: list[str]


@cache
def promises() -> list[Promise]:
    """Return the promises in the order of the file."""
    text = (ROOT / "tests" / "promises.toml").read_text()
    return [Promise(**row) for row in tomllib.loads(text)["promise"]]


@cache
def find_tests(path: str) -> dict[str, bool]:
    """Return the tests at the top of a file by name, and of each whether `make test` runs it."""
    tree = ast.parse((ROOT / path).read_text())
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    return {node.name: not any("slow" in ast.unparse(mark) for mark in node.decorator_list) for node in functions}


def page() -> str:
    """Return the text of the page."""
    topics = groupby(promises(), key=lambda promise: promise.topic)
    return HEAD + "".join(f"\n## {topic}\n\n{''.join(map(_item, of_topic))}" for topic, of_topic in topics)


def _item(promise: Promise) -> str:
    return f"- {promise.sentence}\n" + "".join(f"    - `{test}`\n" for test in promise.tests)


if __name__ == "__main__":
    PAGE.write_text(page())
