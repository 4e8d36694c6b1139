"""The worked example of ARCHITECTURE.md, `examples/add-a-resource-type/`, works as it is printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_PYTEST = ("pytest", "-q", "-n", "0", "-p", "no:cacheprovider")
EXAMPLE = ROOT / "examples" / "add-a-resource-type"
# The two files of the product that get a line each: after which line, and the line.
EDITS = {
    "provisioner/resources/__init__.py": {"    sns,\n": "    sqs,\n", "    sns.Subscription,\n": "    sqs.Queue,\n"},
    "provisioner/stack.py": {
        "import declare_origin_key\n": "from provisioner.steps.queues import declare_queues\n",
        '(stack.step("dynamodb"), settings, keys)\n': '    declare_queues(stack.step("queues"))\n',
    },
}
# What the tests of the whole product say of the new type.
CHECKS = (
    "tests/resources/test_sqs.py",
    "tests/resources/test_declared_calls.py",
    "tests/resources/test_field_ownership.py",
    "tests/prices/test_prices.py",
    "tests/permissions/test_iam_reference.py",
    "tests/test_names.py",
    "tests/test_layers.py",
)


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the product with the example's files in it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(("provisioner/", "state/", "tests/", "benchmarks/", "docs_site/")) or "/" not in name:
            copy(ROOT / name, tmp_path / name)
    for path in EXAMPLE.rglob("*.*"):
        copy(path, tmp_path / path.relative_to(EXAMPLE))
    for name, lines in EDITS.items():
        text = (tmp_path / name).read_text()
        for before, added in lines.items():
            assert text.count(before) == 1, before
            text = text.replace(before, before + added)
        (tmp_path / name).write_text(text)
    return tmp_path


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def test_the_example_is_applied_planned_silent_and_taken_down(extended: Path) -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            *CHECKS,
            "-k",
            "sqs or Queue or every",
        ],
        cwd=extended,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout[-4000:]
    assert "passed" in ran.stdout


@pytest.mark.slow
def test_the_example_is_typed_styled_and_allowed_by_the_policies(extended: Path) -> None:
    for tool in (["mypy"], ["ruff", "check", "."], ["ruff", "format", "--check", "."], [*_PYTEST, "tests/permissions"]):
        ran = subprocess.run([sys.executable, "-m", *tool], cwd=extended, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-4000:]


def test_it_is_six_files_as_the_architecture_says() -> None:
    files = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.*")} | EDITS.keys()
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Add a resource type")[2].partition("\n\nMore only")[0]

    example = (EXAMPLE / "provisioner" / "steps" / "queues.py").read_text()
    printed = (ROOT / "ARCHITECTURE.md").read_text().partition("```python\n")[2].partition("```")[0]

    assert len(files) == 6
    assert printed
    assert "".join(example.split()).endswith("".join(printed.split()))
    assert [name for name in files if f"`{name.removeprefix('provisioner/')}`" not in table] == []
