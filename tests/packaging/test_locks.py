"""The locks: what CI, `make` and a pipeline install, with hashes, for every Python and system that is supported."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

from tests.support.user import ROOT

CI = ROOT / ".ci"
# Each file, and the extras of setup.cfg that it holds.
LOCKS = {"production.txt": (), "local.txt": ("local",), "constraints.txt": ("local", "dev")}
PYTHONS = ("3.11", "3.14", "3.15")
# Intel's macOS is left out: cryptography, which moto needs, has no wheels for it any more.
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")


def locked(name: str) -> dict[str, str]:
    """The version of each package in a lock; asserts that each is exact and has hashes."""
    versions = {}
    for entry in re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", (CI / name).read_text(), flags=re.MULTILINE)):
        requirement, *hashes = entry.replace("\\\n", "").split(" --hash=sha256:")
        package, version = re.fullmatch(r"([\w.-]+)==([^\s;]+)(?:\s*;.*)?", requirement.strip()).groups()  # type: ignore[union-attr]
        assert hashes, package
        assert all(re.fullmatch("[0-9a-f]{64}", each.strip()) for each in hashes), package
        versions[package] = version
    return versions


def declared(extras: tuple[str, ...]) -> list[Requirement]:
    """What setup.cfg asks for, with these extras, and what a build needs."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    builds = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    return [Requirement(line) for line in [*"\n".join(lines).split("\n"), *builds] if line and not line.startswith("#")]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_declared(name: str) -> None:
    versions = locked(name)

    assert len(versions) > 10
    for requirement in declared(LOCKS[name]):
        assert requirement.specifier.contains(versions[requirement.name]), requirement


def test_the_locks_agree_and_production_has_no_emulator() -> None:
    production, local, everything = (locked(name).items() for name in LOCKS)

    assert production < local < everything
    assert {"moto", "flask", "werkzeug", "cryptography", "pytest"}.isdisjoint(dict(production))
    assert {"pytest", "mypy"}.isdisjoint(dict(local))


def test_what_is_installed_here_is_what_is_locked() -> None:
    from importlib.metadata import distributions

    versions = locked("constraints.txt")
    here = {re.sub(r"[-_.]+", "-", each.name).lower(): each.version for each in distributions()}

    assert {name: version for name, version in here.items() if version != versions.get(name, version)} == {}


@pytest.mark.slow
def test_the_locks_are_what_make_lock_would_write(tmp_path: Path) -> None:
    for name in ("setup.cfg", "pyproject.toml", "README.md", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(CI, tmp_path / ".ci")
    shutil.copytree(ROOT / "provisioner", tmp_path / "provisioner", ignore=shutil.ignore_patterns("__pycache__"))

    make = ["make", "lock", "UPGRADE=", f"VENV={Path(sys.executable).parents[1]}"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)

    assert {name: (tmp_path / ".ci" / name).read_text() == (CI / name).read_text() for name in LOCKS} == dict.fromkeys(
        LOCKS, True
    )


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_nothing_has_to_be_built_where_it_is_supported(tmp_path: Path, python: str, platform: str) -> None:
    there = ["--python-version", python, "--python-platform", platform, "--target", str(tmp_path / "none")]
    as_wheels = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(CI / "constraints.txt")]

    ran = subprocess.run(
        [find_uv_bin(), "pip", "install", "--dry-run", *there, *as_wheels], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
