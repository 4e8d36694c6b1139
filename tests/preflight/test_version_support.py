"""The database's major version: which a stack is born with and keeps, and what its end of support brings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.clock import clock as clock_of_aws
from provisioner.engine.calls.clock import Clock
from provisioner.engine.types import charges
from provisioner.preflight import aurora
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

OFF = "database.extended_support=false"
GROUP = "default.aurora-postgresql15"


@pytest.fixture
def on(user: User, monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Move the stack's user and AWS to a day."""
    real = Clock.wall
    assert user

    def move(day: date) -> None:
        now = datetime.now(UTC)
        ahead = (datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - now).total_seconds()
        clock_of_aws._ahead = ahead
        monkeypatch.setattr(Clock, "wall", lambda clock: real(clock) + ahead)
        monkeypatch.setattr(charges, "today", lambda: day)

    return move


def cluster(user: User) -> dict[str, Any]:
    return LiveStack(user).cluster


def given(*settings: str) -> list[str]:
    return [word for one in settings for word in ("--set", one)]


def test_a_stack_keeps_the_version_that_it_was_born_with(user: User, tmp_path: Path) -> None:
    """As one does that was born while 15 was the default, also where its state is lost."""
    user.apply(SUFFIX, *given("database.version=15"))
    assert user.plan(SUFFIX).endswith("\nNo changes.\n")
    assert "another major version" in user.run("plan", "--suffix", SUFFIX, *given("database.version=17")).err

    lost = user.elsewhere(tmp_path / "lost").plan(SUFFIX)
    assert "15.17" not in lost
    assert "0 to add, 0 to change" in lost
    user.elsewhere(tmp_path / "lost again").teardown(SUFFIX)
    rds = LiveStack(user).aws("rds")
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"] == []


def test_the_end_of_support_and_its_bill_are_told_before_they_come(user: User, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    old = given("database.version=14")
    said = "the standard support of PostgreSQL 14 ends on 2027-02-28; from the next day on each ACU pays"
    bill = "From 2027-03-01 on, 31.03 (up to 124.10) USD a month more for extended support"

    told = user.plan(SUFFIX, *old)
    assert f"warning: aurora/aurora: {said}" in told
    assert bill in told
    user.well("apply", "--yes", "--suffix", SUFFIX, *old)
    quiet = user.plan(SUFFIX)
    assert "\nNo changes.\n" in quiet
    assert said in quiet
    assert bill in quiet
    assert _support(user) == ("ok", f"{said} for extended support")

    on(date(2027, 3, 2))
    (paid,) = user.well("plan", "--json", "--suffix", SUFFIX, *given("database.max_acu=4")).lines
    line = paid["cost"]["lines"]["extended support of the database"]
    assert line == {"before": {"least": 31.03, "most": 124.1}, "after": {"least": 31.03, "most": 248.2}}
    assert "ended on 2027-02-28; each ACU pays" in user.plan(SUFFIX)
    on(date(2029, 3, 1))
    (paid,) = user.well("plan", "--json", "--suffix", SUFFIX).lines
    assert paid["cost"]["lines"]["extended support of the database"]["after"]["least"] == 62.05


@pytest.mark.parametrize("tells", [True, False], ids=["AWS tells it", "AWS does not"])
def test_an_end_that_was_reckoned_is_told_as_such(
    user: User, on: Callable[[date], None], monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    """The calendar that this version knows has none of 18; where AWS tells it, that is it."""
    on(date(2031, 1, 1))
    if not tells:
        monkeypatch.setattr(aurora, "standard_support_end", lambda *_: None)

    told = user.plan(SUFFIX, *given("database.version=18"))

    day = "2031-02-28" if tells else "2031-02-28 (estimated)"
    assert f"the standard support of PostgreSQL 18 ends on {day}; from the next day on" in told
    assert "From 2031-03-01 (estimated) on, " in told


def _support(user: User) -> tuple[str, str]:
    (told,) = user.run("doctor", "--suffix", SUFFIX, "--json").lines
    return next((one["state"], one["note"]) for one in told["checks"] if one["check"] == "support")


def test_without_extended_support_aws_moves_it_on_and_that_is_no_drift(user: User, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    off, old = given(OFF), given(OFF, "database.version=14")
    told = user.plan(SUFFIX, *old)
    assert "ends on 2027-02-28: AWS moves the database to a later major version after that" in told
    assert "USD a month more" not in told
    user.well("apply", "--yes", "--suffix", SUFFIX, *old)
    assert cluster(user)["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"

    on(date(2027, 3, 2))
    assert (cluster(user)["EngineVersion"], cluster(user)["DBClusterParameterGroup"]) == ("15.17", GROUP)
    ran = user.run("drift", "--suffix", SUFFIX, *off, "--json")
    (drift,) = ran.lines
    fields = [field for one in drift["drift"] for field in one["fields"] if field["path"] == "EngineVersion"]
    assert [field["owner"] for field in fields] == ["AWS, which upgrades minor versions"]

    note = "The database runs PostgreSQL 15.17: AWS moved it on from 14, whose standard support has ended."
    for settings in (old, off):
        told = user.plan(SUFFIX, *settings)
        assert told.startswith(note)
        assert "EngineVersion" not in told
    user.apply(SUFFIX, *off)
    assert cluster(user)["DBClusterParameterGroup"].startswith("ml-api-dbparams-")
    assert user.known(SUFFIX)["facts"]["version"] == "15"
    assert user.run("drift", "--suffix", SUFFIX, *off).code == 0


def test_what_aws_would_not_make_without_extended_support_is_refused_before(
    user: User, on: Callable[[date], None]
) -> None:
    on(date(2027, 3, 2))

    ran = user.run("apply", "--yes", "--suffix", SUFFIX, *given(OFF, "database.version=14"))

    assert ran.code == 5, ran.err
    assert "the standard support of PostgreSQL 14 ended on 2027-02-28" in ran.err
    assert "--set database.version=17" in ran.err
    assert user.acts() == []


def test_extended_support_is_changed_in_place_and_given_back(user: User) -> None:
    user.well("apply", "--yes", "--suffix", SUFFIX)
    for settings, word in ((given(OFF), "-disabled"), ([], "")):
        mark = user.mark()
        user.apply(SUFFIX, *settings)
        assert cluster(user)["EngineLifecycleSupport"] == f"open-source-rds-extended-support{word}"
        assert user.acts(mark) == ["rds:ModifyDBCluster"]


def test_where_the_dates_may_not_be_asked_those_built_in_are_told(user: User, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    user.box.faults({"operation": "rds:DescribeDBMajorEngineVersions", "fault": "access_denied"})

    assert "ends on 2027-02-28" in user.plan(SUFFIX, *given("database.version=14"))
