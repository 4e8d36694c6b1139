"""The wheel and the sdist, built of this tree: the wheel is installed and used where nothing else is."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from provisioner import __version__
from tests.support.user import ROOT, CommandResult

CI = ROOT / ".ci"
NOT_IN_A_CHECKOUT = shutil.ignore_patterns(
    *(".git", ".venv", ".ml-api", ".*_cache", ".hypothesis", ".coverage*"),
    *("__pycache__", "*.egg-info", "build", "dist"),
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, and a folder of its user."""

    folder: Path
    home: Path

    @classmethod
    def of(cls, wheel: Path, folder: Path) -> Environment:
        """An environment with the wheel, its dependencies in the versions of the lock, and no pip; uv is on PATH."""
        made = cls(folder / "environment", folder / "home")
        made.home.mkdir(parents=True)
        made.typed(f"uv venv -q --python {sys.executable} {made.folder}")
        into = f"uv pip install -q --python {made.folder}/bin/python --no-deps"
        made.typed(f"{into} --require-hashes -r {CI / 'production.txt'}")
        made.typed(f"{into} {wheel}")
        return made

    def run(self, *command: str) -> CommandResult:
        """One program of the environment, to its end."""
        return self._ended(str(self.folder / "bin" / command[0]), *command[1:])

    def typed(self, line: str) -> None:
        """A line that must go well, typed into a shell."""
        ran = self._ended("/bin/sh", "-c", line)
        assert ran.code == 0, ran.err

    def _ended(self, *command: str) -> CommandResult:
        """A process that knows nothing of the environment of this one; what it installs has the locks' versions."""
        versions = self.home / "versions.txt"
        versions.write_text(
            "\n".join(re.findall(r"^[^\s#][^\\\n]*", (CI / "constraints.txt").read_text(), re.MULTILINE))
        )
        known = {"PATH": f"{Path(find_uv_bin()).parent}:/usr/bin:/bin", "HOME": str(self.home), "MLAPI_PROFILE": "seed"}
        # How packages are fetched is this machine's own.
        known |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_"))}
        known |= {"UV_CONSTRAINT": str(versions), "PIP_CONSTRAINT": str(versions)}
        known |= {"UV_CACHE_DIR": str(Path(sys.prefix) / "uv-cache")}
        ran = subprocess.run(command, cwd=self.home, env=known, capture_output=True, text=True, check=False)
        assert "Traceback" not in ran.stderr
        return CommandResult(ran.returncode, ran.stdout, ran.stderr)

    def assert_that_a_stack_lives_and_dies(self) -> None:
        """Type the line that `local start` names, then bring a stack up on the local AWS and take it down."""
        line = re.search("`(.*)`", self.run("ml-api", "local", "start").err)
        assert line
        self.typed(line[1])
        try:
            applied = self.run("ml-api", "apply", "--yes", "--local", "--suffix", "a")
            assert applied.code == 0, applied.err
            assert self.run("ml-api", "plan", "--local", "--suffix", "a").out == "No changes.\n"
            gone = self.run("ml-api", "teardown", "--yes", "--local", "--suffix", "a")
            assert "Verified empty" in gone.out + gone.err
        finally:
            self.run("ml-api", "local", "stop")


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
    return Environment.of(wheel, tmp_path_factory.mktemp("lean"))


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

    assert {
        "setup.cfg",
        "Makefile",
        "cli.py",
        "README.md",
        ".ci/constraints.txt",
        ".github/workflows/check.yml",
        "tests/conftest.py",
    } <= names
    assert "docs/how-to/pipelines.md" in names
    assert not [name for name in names if re.search(r"\.pyc$|(^|/)\.(venv|git|ml-api)(/|$)", name)]


def test_without_extras_there_is_no_emulator_and_nothing_is_missing(lean: Environment) -> None:
    files = (lean.folder / "lib").glob("*/site-packages/*.dist-info")
    names = {file.name.partition("-")[0].lower() for file in files}

    assert {"boto3", "botocore", "click", "ml_api_provisioner", "pydantic", "rich", "tenacity"} <= names
    assert names & {"moto", "flask", "werkzeug", "docker", "cryptography", "cfn_lint", "requests"} == set()
    lean.typed(f"uv pip check --python {lean.folder}/bin/python")


@pytest.mark.parametrize(
    "command",
    [
        *("--help", "--version", "plan --offline --suffix a", "policy --suffix a", "graph --format svg --suffix a"),
        *("graph --format svg-graph --suffix a", "config show", "list", "local status"),
    ],
)
def test_a_command_runs_without_extras(lean: Environment, command: str) -> None:
    ran = lean.run("ml-api", *command.split())

    assert ran.code == (1 if command == "local status" else 0), ran.err
    assert ran.out


@pytest.mark.parametrize("command", ["apply --yes --local --suffix a", "plan --local --suffix a", "local start"])
def test_the_local_aws_is_refused_with_the_line_that_installs_it(lean: Environment, command: str) -> None:
    ran = lean.run("ml-api", *command.split())

    python = lean.folder / "bin" / "python"
    line = rf"`uv pip install --python {python}\S* 'ml-api-provisioner\[local\]'`"
    assert re.fullmatch(rf"Error: The local AWS is not installed here\.\nInstall it with {line}, then .*\n", ran.err)
    assert (ran.code, ran.out) == (5, "")


def test_so_it_is_where_the_emulator_is_started_by_hand(lean: Environment) -> None:
    ran = lean.run("python", "-m", "provisioner.emulator", "--home", str(lean.home / "emulator"))

    assert (ran.code, ran.out) == (5, "")
    assert ran.err.startswith("Error: The local AWS is not installed here.\nInstall it with `uv pip install ")


def test_with_the_local_aws_a_stack_lives_and_dies(wheel: Path, tmp_path: Path) -> None:
    Environment.of(wheel, tmp_path).assert_that_a_stack_lives_and_dies()


@pytest.mark.slow
def test_so_it_does_where_pip_installs_it(wheel: Path, tmp_path: Path) -> None:
    made = Environment(tmp_path / "environment", tmp_path / "home")
    made.home.mkdir()
    made.typed(f"{sys.executable} -m venv {made.folder} && {made.folder}/bin/pip install -q {wheel}")

    made.assert_that_a_stack_lives_and_dies()


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "folder"), [("uv tool", "uv/tools"), ("pipx", "pipx/venvs")])
def test_so_it_does_as_a_tool(wheel: Path, tmp_path: Path, tool: str, folder: str) -> None:
    made = Environment(tmp_path / ".local" / "share" / folder / "ml-api-provisioner", tmp_path)

    made.typed(f"{tool} install {wheel}")

    assert (tmp_path / ".local" / "bin" / "ml-api").exists()
    made.assert_that_a_stack_lives_and_dies()
