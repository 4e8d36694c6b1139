"""What runs for hours stays as large as it was: watched, followed, and the local AWS that serves it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.calls import MAX_CALLS, CallLog
from provisioner.emulator.wire import compose_call
from state.run_store import FileRunStore, encode_run_record
from tests.support.user import ROOT, User

# Megabytes that a process may vary by between two looks of which hundreds lie between.
_SLACK = 6.0


def resident(pid: int) -> float:
    """Megabytes that a process holds in memory (proc(5), statm)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def rounds(user: User, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on for ever, each time that it has answered once more."""
    process = user.spawn(*command, "--local", "--json")
    try:
        assert process.stdout
        for _ in process.stdout:
            yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of memory")
def test_a_status_that_is_watched_for_300_looks_grows_by_next_to_nothing(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "long")
    sizes = []

    for at, process in enumerate(rounds(user, "status", "--suffix", "long", "--watch", "--every", "0.01s")):
        sizes.append(resident(process.pid))
        if at == 300:
            break

    assert len(sizes) == 301
    # The first hundred looks fill caches and the collector's first generations.
    assert max(sizes[250:]) - min(sizes[100:150]) < _SLACK


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of memory")
def test_the_local_aws_grows_by_next_to_nothing_over_300_looks(tmp_path: Path) -> None:
    home = {**os.environ, "MLAPI_HOME": str(tmp_path)}

    def cli(*words: str) -> None:
        command = [sys.executable, str(ROOT / "cli.py"), *words, "--local", "--quiet"]
        subprocess.run(command, env=home, check=True, capture_output=True, timeout=300)

    cli("apply", "--yes", "--suffix", "long")
    told = json.loads(next((tmp_path / "embedded" / "server").glob("*.json")).read_text())
    watching = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "status", "--local", "--watch", "--every=0.01s", "--json"],
        env=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert watching.stdout
        sizes = [resident(told["pid"]) for _, _ in zip(range(301), watching.stdout, strict=False)]
    finally:
        watching.kill()
        watching.communicate()
        subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), "local", "stop"],
            env=home,
            check=True,
            capture_output=True,
            timeout=60,
        )

    assert len(sizes) == 301
    # 34 calls a look, of which the log keeps the newest 20,000: 330 bytes each.
    assert sizes[-1] - sizes[150] < _SLACK


def test_the_log_of_calls_keeps_the_newest_and_their_numbers() -> None:
    log = CallLog()
    call = compose_call("sts", "GetCallerIdentity", "us-east-1")
    for _ in range(MAX_CALLS + 5):
        log.add(call, 200, "")

    assert len(log.since()) == MAX_CALLS
    assert [one["n"] for one in log.since(MAX_CALLS + 3)] == [MAX_CALLS + 4, MAX_CALLS + 5]


def test_history_reads_only_what_it_shows(user: User) -> None:
    user.apply("looked")
    runs = FileRunStore(user.home / "embedded" / "runs")
    (whole,) = runs.records_of("looked")
    for number in range(60):
        store = runs.new_record(f"s{number}", 1_000_000.0 + number)
        runs.save(store, {**whole, "suffix": f"s{number}"})
    damaged = runs.new_record("s0", 5.0)
    damaged.save(encode_run_record({})[:-1])

    newest = user.well("history")

    assert len(newest.out.splitlines()) == 51
    assert "12 earlier runs are recorded; `--limit 0` lists all." in newest.err
    assert len(user.well("history", "--limit", "3").out.splitlines()) == 4
    assert user.run("history", "--limit", "0").code == 1
