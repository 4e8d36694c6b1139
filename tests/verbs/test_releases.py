"""What can be gone back to: what `deploy` shipped stays, what an `apply` replaced is gone; both say so."""

from __future__ import annotations

import pytest

from provisioner.commands.releasing import missing
from tests.harness import Desk
from tests.standing import SUFFIX


@pytest.mark.parametrize(
    ("known", "gone"), [([], []), ([3], []), ([3, 2, 1], []), ([7, 4, 2], [3, 5, 6]), ([2, 7, 4], [3, 5, 6])]
)
def test_what_is_missing_lies_between_what_is_known(known: list[int], gone: list[int]) -> None:
    assert missing(known) == gone


@pytest.mark.slow
def test_what_an_apply_replaced_cannot_be_gone_back_to(desk: Desk) -> None:
    larger = ("--set", "container.memory=4096")
    desk.apply(SUFFIX)
    desk.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "one:1")
    desk.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "two:1")
    desk.apply(SUFFIX, *larger)

    told = desk.well("releases", "--suffix", SUFFIX)
    listed = [line.replace("*", " ").split()[0] for line in told.out.splitlines()[1:]]
    assert listed == ["4", "2", "1"]
    assert "Not there any more: 3. An `apply` deletes the one that it replaces." in told.err
    assert "one:1 (revision 2)" in desk.well("rollback", "--yes", "--no-smoke", "--suffix", SUFFIX).out


@pytest.mark.slow
def test_where_there_is_nothing_to_go_back_to_it_is_said_why(desk: Desk) -> None:
    desk.apply(SUFFIX)
    ran = desk.run("rollback", "--yes", "--suffix", SUFFIX)
    assert ran.code == 5
    assert "deletes" not in ran.err

    desk.apply(SUFFIX, "--set", "container.memory=4096")
    ran = desk.run("rollback", "--yes", "--suffix", SUFFIX)

    assert ran.code == 5
    assert "before 2 to go back to: an `apply` deletes the one that it replaces." in ran.err
    assert f"`python cli.py deploy --image REF --suffix {SUFFIX} --local` ships another image" in ran.err
