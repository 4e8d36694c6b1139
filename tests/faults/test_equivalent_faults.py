"""Cases that get the verdict of another, and cases that hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import fork
from tests.faults.fork import TooLong, in_child
from tests.faults.matrix import ROOT

SOME = ["--operation", "application-autoscaling:", "--operation", "kms:", "--operation", "iam:DeleteRole"]


def test_a_case_that_hangs_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork, "_POLL_SECONDS", 0.1)
    read, _ = os.pipe()

    with pytest.raises(TooLong, match=r"test_equivalent_faults\.py"):
        in_child(lambda: os.read(read, 1), 600)


def test_a_case_that_computes_for_ever_is_told_and_ended() -> None:
    def for_ever() -> None:
        while True:
            pass

    with pytest.raises(TooLong, match="for_ever"):
        in_child(for_ever, 1)


def played(file: Path, *more: str) -> list[dict[str, object]]:
    """The verdicts on some cases."""
    command = [sys.executable, "-m", "tests.faults", *SOME, "--resume", str(file), *more]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=1500, check=False)
    return [json.loads(line) for line in file.read_text().splitlines()[1:]]


@pytest.mark.slow
def test_cases_that_are_same_as_end_same_as_where_each_is_played(tmp_path: Path) -> None:
    shared, each = played(tmp_path / "shared"), played(tmp_path / "each", "--each")

    assert len([one for one in shared if one["same_as"]]) > len(shared) / 3
    assert not [one for one in each if one["same_as"]]
    for some in (shared, each):
        for one in some:
            del one["same_as"], one["seconds"]
    assert shared == each
