"""The locks: what CI, `make` and a pipeline install, with hashes, for every Python and system that is supported."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

from tests.support.user import ROOT

CI = ROOT / ".ci"
SERVICES = ROOT / "provisioner" / "service_clients.py"
# Each file, and the extras of setup.cfg that it holds.
LOCKS = {"production.txt": (), "local.txt": ("local",), "constraints.txt": ("local", "dev")}
PYTHONS = ("3.11", "3.14", "3.15")
# Intel's macOS is left out: cryptography, which moto needs, has no wheels for it any more.
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")


def locked(name: str) -> dict[str, str]:
    """The version of each package in a lock, as far as it is for this system; each entry is exact and has hashes."""
    versions = {}
    for entry in re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", (CI / name).read_text(), flags=re.MULTILINE)):
        requirement, *hashes = entry.replace("\\\n", "").split(" --hash=sha256:")
        package = Requirement(requirement)
        (exact,) = package.specifier
        assert (exact.operator, package.url) == ("==", None), requirement
        assert hashes, requirement
        assert all(re.fullmatch("[0-9a-f]{64}", each.strip()) for each in hashes), requirement
        if package.marker is None or package.marker.evaluate():
            versions[package.name] = exact.version
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
        if requirement.marker and not requirement.marker.evaluate():
            continue
        assert requirement.specifier.contains(versions[requirement.name]), requirement


def test_the_locks_agree_and_production_has_no_emulator() -> None:
    production, local, everything = (locked(name).items() for name in LOCKS)

    assert production < local < everything
    assert {"moto", "flask", "werkzeug", "cryptography", "pytest"}.isdisjoint(dict(production))
    assert {"pytest", "mypy"}.isdisjoint(dict(local))


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module without what is there for its types only."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from run_time_nodes(node)


def test_the_types_of_aws_are_installed_for_development_only() -> None:
    types = {requirement.name for requirement in declared(("dev",)) if "boto" in requirement.name} - {
        "boto3",
        "botocore",
    }
    stubs = {re.sub("_", "-", one) for one in re.findall(r"(types_boto3_\w+)\.client", SERVICES.read_text())}

    assert types == {*stubs, "botocore-stubs"} <= locked("constraints.txt").keys()
    assert types.isdisjoint(locked("production.txt"))
    assert types.isdisjoint(locked("local.txt"))


def imported(files: Iterable[Path]) -> set[str]:
    """The distributions that files import from, this one and Python's own modules left out."""
    nodes = [node for file in files for node in run_time_nodes(ast.parse(file.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in names} - {"", "provisioner", "state"} - set(sys.stdlib_module_names)
    known = packages_distributions()
    return {known[top][0].lower().replace("_", "-") for top in tops}


def test_every_package_that_is_imported_is_declared() -> None:
    emulator = set((ROOT / "provisioner" / "emulator").rglob("*.py"))
    product = [file for top in ("provisioner", "state") for file in (ROOT / top).rglob("*.py") if file not in emulator]
    names = {requirement.name for requirement in declared(())}

    assert imported(product) == names - {"setuptools"}
    assert imported(emulator) - names == {requirement.name for requirement in declared(("local",))} - names


def test_what_is_installed_here_is_what_is_locked() -> None:
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
