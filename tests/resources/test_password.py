"""DB_PASSWORD: taken once, kept in one place, and shown nowhere."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import logging
from pathlib import Path

import pytest

from tests.support.account_inventory import client, inventory
from tests.support.user import CommandResult, User

PASSWORD = "Correct-Horse_9-Battery"
# What would give it away: itself, and what it can be found by.
TRACES = [
    PASSWORD,
    base64.b64encode(PASSWORD.encode()).decode(),
    *(hashlib.new(name, PASSWORD.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")),
]


def given(user: User, password: str | None) -> User:
    """The same user with another DB_PASSWORD, or none."""
    return dataclasses.replace(user, environment={} if password is None else {"DB_PASSWORD": password})


def secrets(user: User) -> dict[str, dict[str, str]]:
    """Every secret there is, with what is in it."""
    service = client(user.box.endpoint, "secretsmanager")
    return {
        one["Name"]: json.loads(service.get_secret_value(SecretId=one["ARN"])["SecretString"])
        for one in service.list_secrets()["SecretList"]
    }


def shown(ran: CommandResult) -> str:
    return ran.out + ran.err


def test_it_is_the_master_password_kept_in_the_stacks_own_secret_for_the_tasks(user: User) -> None:
    given(user, PASSWORD).apply("a")

    (cluster,) = client(user.box.endpoint, "rds").describe_db_clusters()["DBClusters"]
    assert "MasterUserSecret" not in cluster
    assert secrets(user) == {"ml-api-dbsecret-a/master": {"username": cluster["MasterUsername"], "password": PASSWORD}}
    found = inventory(user.box.endpoint)
    (arn,) = found["secret"]
    task = client(user.box.endpoint, "ecs").describe_task_definition(taskDefinition="ml-api-taskdef-a")
    (container,) = task["taskDefinition"]["containerDefinitions"]
    assert {one["valueFrom"] for one in container["secrets"]} == {f"{arn}:username::", f"{arn}:password::"}
    assert sum(arn in line for line in found["role policy"].values()) == 2


def test_it_is_in_no_output_no_log_and_no_file(user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="provisioner")
    user = given(user, PASSWORD)

    told = [user.well("plan", "--suffix", "a"), user.well("plan", "--json", "--suffix", "a")]
    told += [user.well("apply", "--yes", "--json", "--suffix", "a"), user.well("plan", "--suffix", "a")]
    told += [user.well("status", "--json", "--suffix", "a"), user.well("outputs", "--suffix", "a")]
    files = [path for path in [*user.home.rglob("*"), *Path.cwd().rglob("*")] if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in files)
    told += [user.well("teardown", "--yes", "--suffix", "a")]
    assert inventory(user.box.endpoint)["secret"] == {}

    for trace in TRACES:
        assert trace not in "".join(map(shown, told))
        assert trace not in written
        assert trace not in caplog.text
    assert user.ledger("a") in files


@pytest.mark.slow
def test_later_runs_ignore_the_variable_even_after_the_ledger_is_lost(user: User) -> None:
    given(user, PASSWORD).apply("a")
    before, mark = secrets(user), user.mark()

    for other in ("Another-Password_1", "bad pw", None):
        assert given(user, other).plan("a") == "No changes.\n"
    user.ledger("a").unlink()
    given(user, "Another-Password_1").apply("a")

    assert user.tries(mark) == []
    assert secrets(user) == before


@pytest.mark.slow
def test_a_stack_born_without_it_does_not_take_it_later(user: User) -> None:
    user.apply("a")

    assert given(user, PASSWORD).plan("a") == "No changes.\n"


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
def test_a_bad_one_is_refused_before_the_first_change_and_not_repeated(user: User, password: str) -> None:
    mark = user.mark()

    ran = given(user, password).run("apply", "--yes", "--suffix", "a")

    assert ran.code == 64
    assert "DB_PASSWORD" in ran.err
    assert "8 to 99 printable ASCII" in ran.err
    assert not password or password not in ran.err
    assert user.tries(mark) == []
    assert not user.ledger("a").exists()


@pytest.mark.parametrize("password", ["x" * 8, "x" * 99, "!#$%&'()*+,-.:;<=>?[]^_`{|}~"])
def test_what_aurora_takes_is_taken(user: User, password: str) -> None:
    ran = given(user, password).well("plan", "--suffix", "a")

    assert "ml-api-dbsecret-a/master" in ran.out
