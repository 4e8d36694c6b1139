"""DB_PASSWORD: taken once, kept in one place, and shown nowhere."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import logging
from pathlib import Path

import pytest

from tests.harness import Desk, Ran
from tests.inventory import client, inventory

PASSWORD = "Correct-Horse_9-Battery"
# What would give it away: itself, and what it can be found by.
TRACES = [
    PASSWORD,
    base64.b64encode(PASSWORD.encode()).decode(),
    *(hashlib.new(name, PASSWORD.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")),
]


def given(desk: Desk, password: str | None) -> Desk:
    """The same user with another DB_PASSWORD, or none."""
    return dataclasses.replace(desk, environment={} if password is None else {"DB_PASSWORD": password})


def secrets(desk: Desk) -> dict[str, dict[str, str]]:
    """Every secret there is, with what is in it."""
    service = client(desk.box.endpoint, "secretsmanager")
    return {
        one["Name"]: json.loads(service.get_secret_value(SecretId=one["ARN"])["SecretString"])
        for one in service.list_secrets()["SecretList"]
    }


def shown(ran: Ran) -> str:
    return ran.out + ran.err


def test_it_is_the_master_password_kept_in_the_stacks_own_secret_for_the_tasks(desk: Desk) -> None:
    given(desk, PASSWORD).apply("a")

    (cluster,) = client(desk.box.endpoint, "rds").describe_db_clusters()["DBClusters"]
    assert "MasterUserSecret" not in cluster
    assert secrets(desk) == {"ml-api-dbsecret-a/master": {"username": cluster["MasterUsername"], "password": PASSWORD}}
    found = inventory(desk.box.endpoint)
    (arn,) = found["secret"]
    task = client(desk.box.endpoint, "ecs").describe_task_definition(taskDefinition="ml-api-taskdef-a")
    (container,) = task["taskDefinition"]["containerDefinitions"]
    assert {one["valueFrom"] for one in container["secrets"]} == {f"{arn}:username::", f"{arn}:password::"}
    assert sum(arn in line for line in found["role policy"].values()) == 2


def test_it_is_in_no_output_no_log_and_no_file(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="provisioner")
    user = given(desk, PASSWORD)

    told = [user.well("plan", "--suffix", "a"), user.well("plan", "--json", "--suffix", "a")]
    told += [user.well("apply", "--yes", "--json", "--suffix", "a"), user.well("plan", "--suffix", "a")]
    told += [user.well("status", "--json", "--suffix", "a"), user.well("outputs", "--suffix", "a")]
    files = [path for path in [*desk.home.rglob("*"), *Path.cwd().rglob("*")] if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in files)
    told += [user.well("teardown", "--yes", "--suffix", "a")]
    assert inventory(desk.box.endpoint)["secret"] == {}

    for trace in TRACES:
        assert trace not in "".join(map(shown, told))
        assert trace not in written
        assert trace not in caplog.text
    assert desk.ledger("a") in files


@pytest.mark.slow
def test_later_runs_ignore_the_variable_even_after_the_ledger_is_lost(desk: Desk) -> None:
    given(desk, PASSWORD).apply("a")
    before, mark = secrets(desk), desk.mark()

    for other in ("Another-Password_1", "bad pw", None):
        assert given(desk, other).plan("a") == "No changes.\n"
    desk.ledger("a").unlink()
    given(desk, "Another-Password_1").apply("a")

    assert desk.tries(mark) == []
    assert secrets(desk) == before


@pytest.mark.slow
def test_a_stack_born_without_it_does_not_take_it_later(desk: Desk) -> None:
    desk.apply("a")

    assert given(desk, PASSWORD).plan("a") == "No changes.\n"


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short7!",
        "x" * 100,
        "with space here",
        "with/slash",
        "with@sign-",
        'with"quote',
        "ümlaut-password",
        "new\nline-password",
        "tab\tin-the-middle",
        "delete\x7fcharacter",
    ],
)
def test_a_bad_one_is_refused_before_the_first_change_and_not_repeated(desk: Desk, password: str) -> None:
    mark = desk.mark()

    ran = given(desk, password).run("apply", "--yes", "--suffix", "a")

    assert ran.code == 64
    assert "DB_PASSWORD" in ran.err
    assert "8 to 99 printable ASCII" in ran.err
    assert not password or password not in ran.err
    assert desk.tries(mark) == []
    assert not desk.ledger("a").exists()


@pytest.mark.parametrize("password", ["x" * 8, "x" * 99, "!#$%&'()*+,-.:;<=>?[]^_`{|}~"])
def test_what_aurora_takes_is_taken(desk: Desk, password: str) -> None:
    ran = given(desk, password).well("plan", "--suffix", "a")

    assert "ml-api-dbsecret-a/master" in ran.out
