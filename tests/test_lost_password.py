"""The secret with the database's password is deleted by hand: what serves it, and who can still log in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.server import LocalAws
from tests.harness import Desk
from tests.inventory import client
from tests.standing import ACCOUNT

FIRST = "Correct-Horse_9-Battery"
NAME = "ml-api-dbsecret-a/master"
AT_ONCE: dict[str, Any] = {"ForceDeleteWithoutRecovery": True}
IN_A_WEEK: dict[str, Any] = {"RecoveryWindowInDays": 7}


@pytest.fixture(scope="module")
def standing(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The stack `a`, born with a password of the user's own."""
    desk = Desk.before(served, tmp_path_factory.mktemp("lost"))
    desk.environment["DB_PASSWORD"] = FIRST
    desk.apply("a")
    return desk


@pytest.fixture
def desk(standing: Desk) -> Desk:
    """The same user, whose shell has forgotten the password."""
    return replace(standing, environment={})


def secrets(desk: Desk) -> Any:
    return client(desk.box.endpoint, "secretsmanager")


def kept(desk: Desk) -> str:
    """The password in the secret."""
    return str(json.loads(secrets(desk).get_secret_value(SecretId=NAME)["SecretString"])["password"])


def database(desk: Desk) -> str:
    """The password that the database itself takes; AWS tells it to nobody."""
    region = str(desk.known("a")["place"]["region"])
    [cluster] = backend("rds", ACCOUNT, region).clusters.values()
    return str(cluster._master_user_password)


def another(desk: Desk) -> str:
    """A password that is not the one in the secret."""
    return f"{kept(desk)}-x"


def state_of_older_code(desk: Desk) -> None:
    """Write the state as it was before the secret was named in it."""
    document = desk.known("a")
    for key in ("wanted", "confirmed"):
        document["entries"]["aurora"][key]["MasterUserPassword"] = "(secret)"
    desk.ledger("a").write_text(json.dumps(document))


def no_state(desk: Desk) -> None:
    desk.ledger("a").unlink()


def state_as_it_is(_: Desk) -> None:
    """Leave it."""


@pytest.mark.parametrize(
    "before",
    [
        state_as_it_is,
        pytest.param(state_of_older_code, marks=pytest.mark.slow),
        pytest.param(no_state, marks=pytest.mark.slow),
    ],
)
def test_a_new_secret_s_password_is_set_on_the_database_before_the_service_starts_with_it(
    desk: Desk, before: Any
) -> None:
    before(desk)
    assert "MasterUserPassword" not in desk.run("plan", "--suffix", "a").out
    new = desk.environment["DB_PASSWORD"] = another(desk)
    secrets(desk).delete_secret(SecretId=NAME, **AT_ONCE)
    mark = desk.mark()

    planned = desk.plan("a")
    desk.apply("a")

    assert "MasterUserPassword" in planned
    assert kept(desk) == database(desk) == new
    acts = desk.acts(mark)
    order = [acts.index(one) for one in ("secretsmanager:CreateSecret", "rds:ModifyDBCluster", "ecs:UpdateService")]
    assert order == sorted(order)
    assert new not in desk.ledger("a").read_text()
    assert new not in planned


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(state_as_it_is, marks=pytest.mark.slow),
        state_of_older_code,
        pytest.param(no_state, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_ends_between_the_two_is_made_good_by_the_next_one(desk: Desk, before: Any) -> None:
    before(desk)
    new = desk.environment["DB_PASSWORD"] = another(desk)
    secrets(desk).delete_secret(SecretId=NAME, **AT_ONCE)
    desk.box.faults({"operation": "rds:ModifyDBCluster", "fault": "access_denied"})

    failed = desk.run("apply", "--yes", "--suffix", "a")
    halfway = (kept(desk), database(desk))
    del desk.environment["DB_PASSWORD"]
    desk.apply("a")

    assert failed.code != 0
    assert halfway[0] == new != halfway[1]
    assert database(desk) == new


@pytest.mark.slow
def test_a_secret_made_anew_alone_is_set_on_the_database_by_the_next_whole_run(desk: Desk) -> None:
    state_of_older_code(desk)
    new = desk.environment["DB_PASSWORD"] = another(desk)
    secrets(desk).delete_secret(SecretId=NAME, **AT_ONCE)

    desk.well("apply", "--yes", "--suffix", "a", "--target", "db-secret")
    desk.apply("a")

    assert kept(desk) == database(desk) == new


def test_one_that_is_set_to_be_deleted_comes_back_without_the_variable(desk: Desk) -> None:
    before = kept(desk)
    secrets(desk).delete_secret(SecretId=NAME, **IN_A_WEEK)
    mark = desk.mark()

    planned = desk.plan("a")
    given = replace(desk, environment={"DB_PASSWORD": "Unused_1-Password"}).plan("a")
    desk.apply("a")

    assert "it is set to be deleted, and comes back with what it holds" in planned
    assert "MasterUserPassword" not in planned
    assert "1 to add, 0 to change" in planned
    assert "DB_PASSWORD" not in planned
    assert "DB_PASSWORD is not used" in given
    assert kept(desk) == database(desk) == before
    assert "rds:ModifyDBCluster" not in desk.acts(mark)


@pytest.mark.parametrize("value", [None, "with/slash"])
def test_one_that_is_gone_for_good_asks_for_a_new_password_before_anything_is_changed(
    desk: Desk, value: str | None
) -> None:
    was = secrets(desk).describe_secret(SecretId=NAME)
    before = kept(desk)
    secrets(desk).delete_secret(SecretId=NAME, **AT_ONCE)
    desk.environment |= {"DB_PASSWORD": value} if value else {}
    mark = desk.mark()

    planned = desk.plan("a")
    ran = desk.run("apply", "--yes", "--suffix", "a")

    why = "cannot be a master password" if value else "is not set"
    assert f"it is to hold the database's password, and DB_PASSWORD {why}" in " ".join(planned.split())
    assert ran.code == 5
    assert "Set DB_PASSWORD to a new password and run the same command again" in ran.err
    assert "Leave it unset" not in ran.err
    assert "with/slash" not in planned + ran.out + ran.err
    assert desk.tries(mark) == []
    desk.environment["DB_PASSWORD"] = before
    desk.apply("a")
    assert secrets(desk).describe_secret(SecretId=NAME)["ARN"] != was["ARN"]


@pytest.mark.parametrize("remedy", ["restore-secret", "apply"])
def test_each_of_doctor_s_two_remedies_for_one_that_is_set_to_be_deleted_mends_it(desk: Desk, remedy: str) -> None:
    before = kept(desk)
    secrets(desk).delete_secret(SecretId=NAME, **IN_A_WEEK)

    told = desk.run("doctor", "--all", "--suffix", "a").out
    if remedy == "apply":
        desk.apply("a")
    else:
        secrets(desk).restore_secret(SecretId=NAME)

    assert f"aws secretsmanager restore-secret --secret-id {NAME}" in told
    assert "apply --suffix a" in told
    assert desk.plan("a") == "No changes.\n"
    assert kept(desk) == before
    assert "db-secret" not in desk.run("doctor", "--all", "--suffix", "a").out
