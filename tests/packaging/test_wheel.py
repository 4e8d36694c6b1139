"""The wheel and the sdist, built of this tree: the wheel is installed and used where nothing else is."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner import __version__
from tests.support.user import ROOT, CommandResult

CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
NOT_IN_A_CHECKOUT = shutil.ignore_patterns(
    *(".git", ".venv", ".ml-api", ".*_cache", ".hypothesis", ".coverage*"),
    *("__pycache__", "*.egg-info", "build", "dist"),
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, and a folder of its user."""

    folder: Path
    home: Path

    def run(self, *command: str) -> CommandResult:
        """One program of the environment, to its end; it knows nothing of the environment of this process."""
        return self._ended(str(self.folder / "bin" / command[0]), *command[1:])

    def type(self, line: str) -> CommandResult:
        """A line, typed into a shell."""
        return self._ended("/bin/sh", "-c", line)

    def _ended(self, *command: str) -> CommandResult:
        known = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "MLAPI_PROFILE": "seed"}
        known |= {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        ran = subprocess.run(command, cwd=self.home, env=known, capture_output=True, text=True, check=False)
        assert "Traceback" not in ran.stderr
        return CommandResult(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist, and with the wheel that was built from the sdist."""
    source, built = tmp_path_factory.mktemp("source") / "tree", tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, source, ignore=NOT_IN_A_CHECKOUT)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built), str(source)]
    ran = subprocess.run(build, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Warning" not in ran.stderr, ran.stderr
    return built


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (file,) = distributions.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def lean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, and with none of its extras."""
    made = Environment(tmp_path_factory.mktemp("lean") / "environment", tmp_path_factory.mktemp("nobody"))
    subprocess.run([sys.executable, "-m", "venv", str(made.folder)], check=True)
    installed = made.run("pip", "install", "-q", str(wheel))
    assert installed.code == 0, installed.err
    return made


def test_the_wheel_holds_two_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {re.sub(r".*\.dist-info$", "dist-info", top) for top in tops} == {"provisioner", "state", "dist-info"}
    data = {name for name in names if name.startswith("provisioner/") and not name.endswith(".py")}
    files = (path for path in (ROOT / "provisioner").rglob("*") if path.is_file())
    assert data == {str(path.relative_to(ROOT)) for path in files if path.suffix not in (".py", ".pyc")}


def test_the_metadata_is_whole(wheel: Path, distributions: Path) -> None:
    twine = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, distributions.iterdir())]
    checked = subprocess.run(twine, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout

    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    known = {key: metadata.get_all(key, []) for key in ("Author", "License-Expression", "Keywords", "Requires-Python")}
    assert all(known.values()), known
    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "MIT")
    classifiers = metadata.get_all("Classifier", [])
    assert "Operating System :: POSIX" in classifiers
    assert not [name for name in classifiers if name.startswith("License ::")]  # PEP 639: not beside an expression
    assert {url.partition(",")[0] for url in metadata.get_all("Project-URL", [])} >= {"Documentation", "Issues"}


def test_the_sdist_holds_all_that_the_tests_need(distributions: Path) -> None:
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"setup.cfg", "Makefile", "cli.py", "README.md", ".ci/constraints.txt", "tests/conftest.py"} <= names
    assert "docs/github-actions.md" in names
    assert not [name for name in names if re.search(r"\.pyc$|(^|/)\.(venv|git|ml-api)(/|$)", name)]


def test_without_extras_there_is_no_emulator_and_nothing_is_missing(lean: Environment) -> None:
    listed = {line.split("==")[0].lower() for line in lean.run("pip", "freeze").out.splitlines()}

    assert {"boto3", "botocore", "click", "pydantic", "rich", "tenacity"} <= listed
    assert listed & {"moto", "flask", "werkzeug", "docker", "cryptography", "cfn-lint", "requests"} == set()
    assert lean.run("pip", "check").code == 0


@pytest.mark.parametrize(
    "command",
    ["--help", "--version", "plan --offline --suffix a", "policy --suffix a", "config show", "list", "local status"],
)
def test_a_command_runs_without_extras(lean: Environment, command: str) -> None:
    ran = lean.run("ml-api", *command.split())

    assert ran.code == (1 if command == "local status" else 0), ran.err
    assert ran.out


@pytest.mark.parametrize("command", ["apply --yes --local --suffix a", "plan --local --suffix a", "local start"])
def test_the_local_aws_is_refused_with_the_line_that_installs_it(lean: Environment, command: str) -> None:
    ran = lean.run("ml-api", *command.split())

    python = lean.folder / "bin" / "python"
    line = rf"`({python}\S* -m pip install 'ml-api-provisioner\[local\]')`"
    assert re.fullmatch(rf"Error: The local AWS is not installed here\.\nInstall it with {line}, then .*\n", ran.err)
    assert (ran.code, ran.out) == (5, "")


@pytest.mark.slow
def test_with_the_local_aws_a_stack_lives_and_dies(lean: Environment) -> None:
    line = re.search("`(.*)`", lean.run("ml-api", "local", "start").err)
    assert line
    installed = lean.type(line[1])
    assert installed.code == 0, installed.err
    try:
        applied = lean.run("ml-api", "apply", "--yes", "--local", "--suffix", "a")
        assert applied.code == 0, applied.err
        assert lean.run("ml-api", "plan", "--local", "--suffix", "a").out == "No changes.\n"
        gone = lean.run("ml-api", "teardown", "--yes", "--local", "--suffix", "a")
        assert "Verified empty" in gone.out + gone.err
    finally:
        lean.run("ml-api", "local", "stop")
