"""The workflows of this repository and the example: linted, pinned, and no more allowed than they need."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from uv import find_uv_bin

from tests.support.user import ROOT

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = [*OURS, ROOT / "examples" / "github-actions" / "ml-api.yml"]
TOOLS = Path(find_uv_bin()).parent
PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")


def linted(*command: str | Path) -> str:
    """What a linter says; nothing where all is well."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def jobs(file: Path) -> list[tuple[str, dict[str, Any]]]:
    return list(yaml.safe_load(file.read_text())["jobs"].items())


def test_there_is_one_for_each_occasion() -> None:
    names = {file.stem for file in OURS}

    assert names == {"check", "nightly", "release", "dependency-review"}


def test_zizmor_finds_nothing() -> None:
    assert linted(TOOLS / "zizmor", "--offline", "--pedantic", "--quiet", ".github", *WORKFLOWS) == ""


def test_actionlint_finds_nothing() -> None:
    """The fork of actionlint that PyPI has as a wheel; the original downloads its binary, where it is on PATH."""
    assert linted(TOOLS / "jactionlint", *WORKFLOWS) == ""
    if original := shutil.which("actionlint"):
        assert linted(original, *WORKFLOWS) == ""


@pytest.mark.parametrize("finder", ["zizmor", "jactionlint"])
def test_the_linters_would_find_something(tmp_path: Path, finder: str) -> None:
    text = WORKFLOWS[-1].read_text().replace("run: ml-api plan", "run: echo ${{ github.head_ref }}; ml-api plan")
    (tmp_path / "bad.yml").write_text(text)
    command: list[str | Path] = [TOOLS / finder, *(["--offline"] if finder == "zizmor" else []), tmp_path / "bad.yml"]

    assert "github.head_ref" in linted(*command)


def test_every_action_is_one_commit_with_its_version() -> None:
    commits: dict[str, set[str]] = {}
    for file in WORKFLOWS:
        for line in re.findall(r"uses: .*", file.read_text()):
            found = PINNED.fullmatch(line)
            assert found, f"{file.name}: {line}"
            commits.setdefault(found["action"], set()).add(f"{found['commit']} {found['version']}")

    assert len(commits) > 5
    assert {action: pins for action, pins in commits.items() if len(pins) > 1} == {}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_job_has_an_end_and_the_rights_that_it_names(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {}
    for name, job in jobs(file):
        assert job["timeout-minutes"] <= 180, name
        assert "permissions" in job, name
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts), name


def test_nothing_is_released_before_the_owner_says_so() -> None:
    release = dict(jobs(ROOT / ".github" / "workflows" / "release.yml"))

    roots = {name for name, job in release.items() if "needs" not in job}
    assert {release[name]["if"] for name in roots} == {"${{ vars.PUBLISH == 'true' }}"}
    assert release["publish"]["environment"]["name"] == "pypi"
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text()


def test_what_a_workflow_names_exists() -> None:
    text = "\n".join(file.read_text() for file in WORKFLOWS)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"run: make ([\w-]+)", text)) - targets == set()
    files = re.findall(r"\.ci/[\w.]+", text)
    assert files
    assert [name for name in files if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("work", ["faults", "mutants"])
def test_the_whole_of_what_is_long_is_run_in_shards_that_go_on(work: str) -> None:
    job = dict(jobs(ROOT / ".github" / "workflows" / "nightly.yml"))[work]

    shards = job["strategy"]["matrix"]["shard"]
    assert job["env"]["SHARD"] == f"${{{{ matrix.shard }}}}/{len(shards)}"
    assert shards == list(range(1, len(shards) + 1))
    (command,) = [step["run"] for step in job["steps"] if f"tests.{work}" in step.get("run", "")]
    assert command.endswith(f'-m tests.{work} --shard "$SHARD" --resume "$RESULTS"')
