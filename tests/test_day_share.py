"""CI runs a seventh of the slow tests each day: a week runs every test there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.support.day_share import DayShare
from tests.support.user import ROOT

WEEK = [DayShare(day, 7) for day in range(1, 8)]


@pytest.mark.parametrize("node_id", [f"tests/a/test_b.py::test_c[{number}]" for number in range(50)])
def test_each_test_is_in_one_share_of_the_week(node_id: str) -> None:
    assert sum(share.includes(node_id) for share in WEEK) == 1


@pytest.mark.parametrize("text", ["0/7", "8/7", "7", "a/b", ""])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DayShare.parse(text)


def collected(*options: str) -> set[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}  # which says how much is printed
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=True)
    return set(re.findall(r"^tests/\S+\.py::.*$", ran.stdout, re.MULTILINE))


@pytest.mark.slow
def test_seven_days_select_every_test() -> None:
    everything, default = collected("-m", "", "tests"), collected("tests")
    days = [collected("-m", "", "--slow-share", f"{day}/7", "tests") for day in range(1, 8)]

    assert all(default <= day for day in days)
    assert set().union(*days) == everything
    assert sum(len(day - default) for day in days) == len(everything - default) > 0


def test_a_day_selects_the_default_tests_and_its_share_of_the_slow_ones() -> None:
    folder, share = "tests/faults", DayShare(3, 7)
    everything, default = collected("-m", "", folder), collected(folder)

    day = collected("-m", "", "--slow-share", "3/7", folder)

    assert day == default | {node_id for node_id in everything - default if share.includes(node_id)}
    assert default < day < everything


def test_ci_runs_a_share_and_the_makefile_says_which() -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert "make check" in (ROOT / ".ci/run").read_text()
    assert re.search(r'check:.*\n(\t.*\n)*\t\$\(BIN\)/pytest .*-m "" --slow-share \$\(SHARE\)', makefile)
    assert "SHARE ?= $(shell echo $$(($$(date -u +%s) / 86400 % 7 + 1)))/7" in makefile
