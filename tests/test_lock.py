from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioner.errors import LockHeld
from state.lock import FileLock

HOLDER = """
import sys
from pathlib import Path
from state.lock import FileLock

with FileLock(Path(sys.argv[1]), "apply"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".prod.lock"


def test_two_processes_do_not_hold_it_at_once(path: Path) -> None:
    with held_elsewhere(path) as process:
        with pytest.raises(LockHeld) as caught, FileLock(path, "teardown"):
            pass

        assert caught.value.exit_code == 7
        assert "`apply`" in caught.value.message
        assert str(process.pid) in caught.value.message
        assert "--lock-timeout" in caught.value.hint


def test_the_lock_of_a_killed_process_is_free_at_once(path: Path) -> None:
    with held_elsewhere(path) as process:
        process.kill()
        process.wait(10)

        with FileLock(path, "apply") as lock:
            assert lock.fence == 2


def test_one_may_wait_for_it(path: Path) -> None:
    with held_elsewhere(path) as process:

        def sleep(_seconds: float) -> None:
            process.kill()
            process.wait(10)

        with FileLock(path, "apply", timeout=60, sleep=sleep) as lock:
            assert lock.fence == 2


def test_a_wait_for_it_ends(path: Path) -> None:
    naps: list[float] = []
    with (
        held_elsewhere(path),
        pytest.raises(LockHeld),
        FileLock(path, "apply", timeout=0.05, sleep=naps.append),
    ):
        pass

    assert naps


def test_each_holder_gets_a_higher_number(path: Path) -> None:
    numbers = []
    for _ in range(3):
        with FileLock(path, "apply") as lock:
            numbers.append(lock.fence)

    assert numbers == [1, 2, 3]


def test_it_is_free_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), FileLock(path, "apply"):
        raise ZeroDivisionError

    with FileLock(path, "apply"):
        pass


@pytest.mark.parametrize("scribble", ["", "{", '{"pid": 1}', "null", "[1]"])
def test_a_scribbled_lock_file_is_taken_all_the_same(path: Path, scribble: str) -> None:
    path.parent.mkdir()
    path.write_text(scribble)

    with FileLock(path, "apply") as lock:
        assert lock.fence == 1
