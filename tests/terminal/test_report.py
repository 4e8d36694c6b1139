"""`report`: a page about the stack that stands, and what it says when AWS does not answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.engine.planning.drift import Drift, DriftCategory
from provisioner.report.resources import display_status_of
from provisioner.resources import RESOURCE_TYPES
from tests.support.user import User

HUSH = 'container.environment={"TOKEN":"hush-hush"}'


def drifted(what: DriftCategory) -> Drift:
    return Drift(what, "nat-1", "vpc", "NatGateway", "n", "nat-1", "apply sees to it")


@pytest.mark.parametrize(
    ("doc", "drift", "state", "word"),
    [
        ({"State": "available"}, None, "good", "available"),
        ({"State": "pending"}, None, "busy", "pending"),
        ({"State": "pending"}, drifted("altered"), "busy", "pending"),
        ({"State": "failed"}, None, "bad", "failed"),
        ({"State": "deleting"}, drifted("gone"), "bad", "deleting"),
        ({"State": "available"}, drifted("altered"), "changed", "changed by hand"),
        ({"State": "available"}, drifted("extra"), "changed", "added to by hand"),
        (None, drifted("gone"), "bad", "missing"),
        (None, None, "unknown", "to be replaced"),
    ],
)
def test_a_resource_is_judged_by_what_aws_says_then_by_drift(
    doc: dict[str, str] | None, drift: Drift | None, state: str, word: str
) -> None:
    assert display_status_of(RESOURCE_TYPES["NatGateway"], doc, drift) == (state, word)


@pytest.fixture(scope="module")
def before(served: object, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Someone who has brought the stack `prod` up, with a secret in its container's variables."""
    user = User.before(served, tmp_path_factory.mktemp("report") / "home")  # type: ignore[arg-type]
    user.environment["MLAPI_PROFILE"] = "seed"
    user.well("apply", "--yes", "--suffix", "prod", "--set", HUSH)
    return user


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_it_tells_of_the_stack_as_it_is_and_changes_nothing(before: User, file: Path) -> None:
    mark = before.mark()

    ran = before.well("report", "--suffix", "prod", "--set", HUSH, "--html", str(file))

    text = file.read_text()
    assert ran.out == f"The report on prod is in {file}.\n"
    assert before.acts(mark) == []
    assert "Everything is healthy" in text
    assert "No drift." in text
    assert "2 of 2 tasks run" in text
    assert '<span class="state good">tg</span> 2 of 2 healthy' in text
    assert all(value in text for value in before.known("prod")["outputs"].values())
    assert "hush-hush" not in text
    assert "user/moto" in text


def test_what_is_missing_and_what_was_changed_by_hand_is_shown(before: User, file: Path) -> None:
    from tests.support.account_inventory import client

    logs = client(before.box.endpoint, "logs")
    logs.delete_log_group(logGroupName="/aws/alb/ml-api-prod")

    (told,) = before.well("report", "--set", HUSH, "--json", "--html", str(file)).lines

    assert told["unwell"]["alb-logs"] == "bad"
    assert told["live"]
    text = file.read_text()
    assert "Unhealthy" in text
    assert "LogGroup" in text
    assert "missing" in text


def test_without_credentials_it_tells_what_the_last_run_left_and_says_so(before: User, file: Path) -> None:
    before.box.faults({"operation": "sts:GetCallerIdentity", "fault": "expired", "times": 9})

    ran = before.run("report", "--suffix", "prod", "--html", str(file))

    before.box.faults()
    text = file.read_text()
    assert ran.code == 3
    assert f"{file} is written all the same" in ran.err
    assert "AWS could not be asked, so this is what the last run left" in text
    assert "Everything is healthy" not in text
    assert "Not known" in text
    assert "hush-hush" not in text


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--suffix", "prodd", "--html", "x.html"], 6, "No stack prodd is known"),
        (["--suffix", "prod"], 64, "Missing option '--html'"),
        (["--suffix", "prod", "--html", "."], 1, ". cannot be written: it is a folder."),
        (["--suffix", "prod", "--html", "no/x.html"], 1, "there is no folder no"),
    ],
)
def test_what_cannot_be_is_refused_in_words(before: User, arguments: list[str], code: int, told: str) -> None:
    ran = before.run("report", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert not list(Path(os.getcwd()).glob("*.html"))
