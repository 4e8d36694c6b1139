"""The secret with the database's password is deleted by hand: what serves it, and who can still log in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.server import LocalAws
from tests.support.account_inventory import client
from tests.support.live_stack import ACCOUNT
from tests.support.user import User

FIRST = "Correct-Horse_9-Battery"
NAME = "ml-api-dbsecret-a/master"
AT_ONCE: dict[str, Any] = {"ForceDeleteWithoutRecovery": True}
IN_A_WEEK: dict[str, Any] = {"RecoveryWindowInDays": 7}


@pytest.fixture(scope="module")
def live_stack(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """The stack `a`, born with a password of the user's own."""
    user = User.before(served, tmp_path_factory.mktemp("lost"))
    user.environment["DB_PASSWORD"] = FIRST
    user.apply("a")
    return user


@pytest.fixture
def user(live_stack: User) -> User:
    """The same user, whose shell has forgotten the password."""
    return replace(live_stack, environment={})


def secrets(user: User) -> Any:
    return client(user.box.endpoint, "secretsmanager")


def kept(user: User) -> str:
    """The password in the secret."""
    return str(json.loads(secrets(user).get_secret_value(SecretId=NAME)["SecretString"])["password"])


def database(user: User) -> str:
    """The password that the database itself takes; AWS tells it to nobody."""
    region = str(user.known("a")["place"]["region"])
    [cluster] = backend("rds", ACCOUNT, region).clusters.values()
    return str(cluster._master_user_password)


def another(user: User) -> str:
    """A password that is not the one in the secret."""
    return f"{kept(user)}-x"


def state_of_older_code(user: User) -> None:
    """Write the state as it was before the secret was named in it."""
    document = user.known("a")
    for key in ("wanted", "confirmed"):
        document["entries"]["aurora"][key]["MasterUserPassword"] = "(secret)"
    user.ledger("a").write_text(json.dumps(document))


def no_state(user: User) -> None:
    user.ledger("a").unlink()


def state_as_it_is(_: User) -> None:
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
    user: User, before: Any
) -> None:
    before(user)
    assert "MasterUserPassword" not in user.run("plan", "--suffix", "a").out
    new = user.environment["DB_PASSWORD"] = another(user)
    secrets(user).delete_secret(SecretId=NAME, **AT_ONCE)
    mark = user.mark()

    planned = user.plan("a")
    user.apply("a")

    assert "MasterUserPassword" in planned
    assert kept(user) == database(user) == new
    acts = user.acts(mark)
    order = [acts.index(one) for one in ("secretsmanager:CreateSecret", "rds:ModifyDBCluster", "ecs:UpdateService")]
    assert order == sorted(order)
    assert new not in user.ledger("a").read_text()
    assert new not in planned


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(state_as_it_is, marks=pytest.mark.slow),
        state_of_older_code,
        pytest.param(no_state, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_ends_between_the_two_is_made_good_by_the_next_one(user: User, before: Any) -> None:
    before(user)
    new = user.environment["DB_PASSWORD"] = another(user)
    secrets(user).delete_secret(SecretId=NAME, **AT_ONCE)
    user.box.faults({"operation": "rds:ModifyDBCluster", "fault": "access_denied"})

    failed = user.run("apply", "--yes", "--suffix", "a")
    halfway = (kept(user), database(user))
    del user.environment["DB_PASSWORD"]
    user.apply("a")

    assert failed.code != 0
    assert halfway[0] == new != halfway[1]
    assert database(user) == new


@pytest.mark.slow
def test_a_secret_made_anew_alone_is_set_on_the_database_by_the_next_whole_run(user: User) -> None:
    state_of_older_code(user)
    new = user.environment["DB_PASSWORD"] = another(user)
    secrets(user).delete_secret(SecretId=NAME, **AT_ONCE)

    user.well("apply", "--yes", "--suffix", "a", "--target", "db-secret")
    user.apply("a")

    assert kept(user) == database(user) == new


def test_one_that_is_set_to_be_deleted_comes_back_without_the_variable(user: User) -> None:
    before = kept(user)
    secrets(user).delete_secret(SecretId=NAME, **IN_A_WEEK)
    mark = user.mark()

    planned = user.plan("a")
    given = replace(user, environment={"DB_PASSWORD": "Unused_1-Password"}).plan("a")
    user.apply("a")

    assert "it is set to be deleted, and comes back with what it holds" in planned
    assert "MasterUserPassword" not in planned
    assert "1 to add, 0 to change" in planned
    assert "DB_PASSWORD" not in planned
    assert "DB_PASSWORD is not used" in given
    assert kept(user) == database(user) == before
    assert "rds:ModifyDBCluster" not in user.acts(mark)


@pytest.mark.parametrize("value", [None, "with/slash"])
def test_one_that_is_gone_for_good_asks_for_a_new_password_before_anything_is_changed(
    user: User, value: str | None
) -> None:
    was = secrets(user).describe_secret(SecretId=NAME)
    before = kept(user)
    secrets(user).delete_secret(SecretId=NAME, **AT_ONCE)
    user.environment |= {"DB_PASSWORD": value} if value else {}
    mark = user.mark()

    planned = user.plan("a")
    ran = user.run("apply", "--yes", "--suffix", "a")

    why = "cannot be a master password" if value else "is not set"
    assert f"it is to hold the database's password, and DB_PASSWORD {why}" in " ".join(planned.split())
    assert ran.code == 5
    assert "Set DB_PASSWORD to a new password and run the same command again" in ran.err
    assert "Leave it unset" not in ran.err
    assert "with/slash" not in planned + ran.out + ran.err
    assert user.tries(mark) == []
    user.environment["DB_PASSWORD"] = before
    user.apply("a")
    assert secrets(user).describe_secret(SecretId=NAME)["ARN"] != was["ARN"]


@pytest.mark.parametrize("remedy", ["restore-secret", "apply"])
def test_each_of_doctor_s_two_remedies_for_one_that_is_set_to_be_deleted_mends_it(user: User, remedy: str) -> None:
    before = kept(user)
    secrets(user).delete_secret(SecretId=NAME, **IN_A_WEEK)

    told = user.run("doctor", "--all", "--suffix", "a").out
    if remedy == "apply":
        user.apply("a")
    else:
        secrets(user).restore_secret(SecretId=NAME)

    assert f"aws secretsmanager restore-secret --secret-id {NAME}" in told
    assert "apply --suffix a" in told
    assert user.plan("a") == "No changes.\n"
    assert kept(user) == before
    assert "db-secret" not in user.run("doctor", "--all", "--suffix", "a").out
