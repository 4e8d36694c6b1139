"""The Containerfile: linted and read always; built where there is something that builds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.support.user import ROOT

CONTAINERFILE = ROOT / "Containerfile"
HADOLINT = Path(find_uv_bin()).parent / "hadolint"


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its argument, on one line."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def of(word: str) -> list[str]:
    return [argument for name, argument in instructions() if name == word]


@pytest.mark.skipif(not HADOLINT.exists(), reason="NOT LINTED: hadolint has no wheel for this system")
def test_hadolint_finds_nothing() -> None:
    ran = subprocess.run([str(HADOLINT), str(CONTAINERFILE)], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_it_starts_from_one_slim_image_of_one_digest() -> None:
    images = {argument.split()[0] for argument in of("FROM")}

    (image,) = images
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", image)


def test_it_runs_any_command_and_not_as_root() -> None:
    last_stage = instructions()[max(at for at, (name, _) in enumerate(instructions()) if name == "FROM") :]
    last = dict(last_stage)

    assert last["ENTRYPOINT"] == '["ml-api"]'
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    names = [name for name, _ in last_stage]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name == "RUN")


def test_what_it_installs_is_locked_with_hashes() -> None:
    installs = [line for line in of("RUN") if "pip install" in line]

    assert len(installs) == 2
    assert "--require-hashes -r lock.txt" in installs[0]
    assert "--no-build-isolation ." in installs[1]
    assert all("--no-deps" in line and "--no-cache-dir" in line for line in installs)


def test_no_secret_and_no_state_gets_into_it() -> None:
    text = CONTAINERFILE.read_text()

    assert not re.search(r"(?i)secret|password|token|access_key", text)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"  # nothing but what is named after it
    named = {line[1:] for line in ignored if line.startswith("!")}
    assert set(copied()) == {name for name in named if not name.startswith(".ci")}
    assert {argument.split()[0] for argument in of("ADD")} == set()


def copied() -> Iterator[str]:
    """The files and folders of the tree that it copies, but the lock."""
    for argument in of("COPY"):
        if not argument.startswith(("--from", ".ci/")):
            yield from argument.split()[:-1]


def test_what_it_copies_is_enough_to_build(tmp_path: Path) -> None:
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path)

    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "out"),
        str(tmp_path),
    ]
    ran = subprocess.run(build, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list((tmp_path / "out").glob("*.whl"))


def builder() -> str | None:
    """The program that builds here: one that is installed, and whose daemon answers."""
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    return None


@pytest.mark.slow
def test_it_is_built_and_runs() -> None:
    program = builder()
    if program is None:
        pytest.skip("NOT BUILT: neither docker nor podman answers on this machine")
    subprocess.run([program, "build", "-t", "ml-api-test", "-f", str(CONTAINERFILE), str(ROOT)], check=True)

    for command in (["--help"], ["plan", "--offline", "--suffix", "a"], ["policy", "--suffix", "a"]):
        ran = subprocess.run([program, "run", "--rm", "ml-api-test", *command], capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
