"""The database's major version: which a stack is born with and keeps, and what its end of support brings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.clock import clock as clock_of_aws
from provisioner.engine.calls.polling import Clock
from provisioner.preflight import support
from provisioner.prices import charges
from tests.harness import Desk
from tests.standing import SUFFIX, Standing

OFF = "database.extended_support=false"
GROUP = "default.aurora-postgresql15"


@pytest.fixture
def on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Move the stack's user and AWS to a day."""
    real = Clock.wall
    assert desk

    def move(day: date) -> None:
        now = datetime.now(UTC)
        ahead = (datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - now).total_seconds()
        clock_of_aws._ahead = ahead
        monkeypatch.setattr(Clock, "wall", lambda clock: real(clock) + ahead)
        monkeypatch.setattr(charges, "today", lambda: day)

    return move


def cluster(desk: Desk) -> dict[str, Any]:
    return Standing(desk).cluster


def given(*settings: str) -> list[str]:
    return [word for one in settings for word in ("--set", one)]


def test_a_stack_keeps_the_version_that_it_was_born_with(desk: Desk, tmp_path: Path) -> None:
    """As one does that was born while 15 was the default, also where its state is lost."""
    desk.apply(SUFFIX, *given("database.version=15"))
    assert desk.plan(SUFFIX) == "No changes.\n"
    assert "another major version" in desk.run("plan", "--suffix", SUFFIX, *given("database.version=17")).err

    lost = desk.elsewhere(tmp_path / "lost").plan(SUFFIX)
    assert "15.17" not in lost
    assert "0 to add, 0 to change" in lost
    desk.elsewhere(tmp_path / "lost again").teardown(SUFFIX)
    rds = Standing(desk).aws("rds")
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"] == []


def test_the_end_of_support_and_its_bill_are_told_before_they_come(desk: Desk, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    old = given("database.version=14")
    said = "the standard support of PostgreSQL 14 ends on 2027-02-28; from the next day on each ACU pays"
    bill = "From 2027-03-01 on, 31.03 (up to 124.10) USD a month besides for extended support"

    told = desk.plan(SUFFIX, *old)
    assert f"warning: aurora/aurora: {said}" in told
    assert bill in told
    desk.well("apply", "--yes", "--suffix", SUFFIX, *old)
    quiet = desk.plan(SUFFIX)
    assert quiet.startswith("No changes.\n")
    assert said in quiet
    assert bill in quiet
    assert _support(desk) == ("ok", f"{said} for extended support")

    on(date(2027, 3, 2))
    (paid,) = desk.well("plan", "--json", "--suffix", SUFFIX, *given("database.max_acu=4")).lines
    line = paid["cost"]["lines"]["extended support of the database"]
    assert line == {"before": {"least": 31.03, "most": 124.1}, "after": {"least": 31.03, "most": 248.2}}
    assert "ended on 2027-02-28; each ACU pays" in desk.plan(SUFFIX)
    on(date(2029, 3, 1))
    (paid,) = desk.well("plan", "--json", "--suffix", SUFFIX).lines
    assert paid["cost"]["lines"]["extended support of the database"]["after"]["least"] == 62.05


@pytest.mark.parametrize("tells", [True, False], ids=["AWS tells it", "AWS does not"])
def test_an_end_that_was_reckoned_is_told_as_such(
    desk: Desk, on: Callable[[date], None], monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    """The calendar that this version knows has none of 18; where AWS tells it, that is it."""
    on(date(2031, 1, 1))
    if not tells:
        monkeypatch.setattr(support, "standard_end", lambda *_: None)

    told = desk.plan(SUFFIX, *given("database.version=18"))

    day = "2031-02-28" if tells else "2031-02-28 (reckoned)"
    assert f"the standard support of PostgreSQL 18 ends on {day}; from the next day on" in told
    assert "From 2031-03-01 (reckoned) on, " in told


def _support(desk: Desk) -> tuple[str, str]:
    (told,) = desk.run("doctor", "--suffix", SUFFIX, "--json").lines
    return next((one["state"], one["note"]) for one in told["checks"] if one["check"] == "support")


def test_without_extended_support_aws_moves_it_on_and_that_is_no_drift(desk: Desk, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    off, old = given(OFF), given(OFF, "database.version=14")
    told = desk.plan(SUFFIX, *old)
    assert "ends on 2027-02-28: AWS moves the database to a later major version after that" in told
    assert "USD a month besides" not in told
    desk.well("apply", "--yes", "--suffix", SUFFIX, *old)
    assert cluster(desk)["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"

    on(date(2027, 3, 2))
    assert (cluster(desk)["EngineVersion"], cluster(desk)["DBClusterParameterGroup"]) == ("15.17", GROUP)
    ran = desk.run("drift", "--suffix", SUFFIX, *off, "--json")
    (drift,) = ran.lines
    fields = [field for one in drift["drift"] for field in one["fields"] if field["path"] == "EngineVersion"]
    assert [field["owner"] for field in fields] == ["AWS, which upgrades minor versions"]

    note = "The database runs PostgreSQL 15.17: AWS moved it on from 14, whose standard support has ended."
    for settings in (old, off):
        told = desk.plan(SUFFIX, *settings)
        assert told.startswith(note)
        assert "EngineVersion" not in told
    desk.apply(SUFFIX, *off)
    assert cluster(desk)["DBClusterParameterGroup"].startswith("ml-api-dbparams-")
    assert desk.known(SUFFIX)["facts"]["version"] == "15"
    assert desk.run("drift", "--suffix", SUFFIX, *off).code == 0


def test_what_aws_would_not_make_without_extended_support_is_refused_before(
    desk: Desk, on: Callable[[date], None]
) -> None:
    on(date(2027, 3, 2))

    ran = desk.run("apply", "--yes", "--suffix", SUFFIX, *given(OFF, "database.version=14"))

    assert ran.code == 5, ran.err
    assert "the standard support of PostgreSQL 14 ended on 2027-02-28" in ran.err
    assert "--set database.version=17" in ran.err
    assert desk.acts() == []


def test_extended_support_is_changed_in_place_and_given_back(desk: Desk) -> None:
    desk.well("apply", "--yes", "--suffix", SUFFIX)
    for settings, word in ((given(OFF), "-disabled"), ([], "")):
        mark = desk.mark()
        desk.apply(SUFFIX, *settings)
        assert cluster(desk)["EngineLifecycleSupport"] == f"open-source-rds-extended-support{word}"
        assert desk.acts(mark) == ["rds:ModifyDBCluster"]


def test_where_the_dates_may_not_be_asked_those_built_in_are_told(desk: Desk, on: Callable[[date], None]) -> None:
    on(date(2026, 12, 1))
    desk.box.faults({"operation": "rds:DescribeDBMajorEngineVersions", "fault": "access_denied"})

    assert "ends on 2027-02-28" in desk.plan(SUFFIX, *given("database.version=14"))
