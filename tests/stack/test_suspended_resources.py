"""A stopped database, a secret in its recovery window, credentials that lapse: what people and time did."""

from __future__ import annotations

import pytest

from tests.resources.test_password import PASSWORD, given
from tests.support.account_inventory import client
from tests.support.user import User

CLUSTER = "ml-api-aurora-a"
WAKE = f"aws rds start-db-cluster --db-cluster-identifier {CLUSTER} --region us-east-1"


@pytest.mark.slow
def test_a_stopped_database_is_not_waited_for_but_shown_with_what_starts_it(user: User) -> None:
    user.apply("a")
    rds = client(user.box.endpoint, "rds")
    rds.stop_db_cluster(DBClusterIdentifier=CLUSTER)
    mark = user.mark()

    for command in ("apply", "teardown"):
        ran = user.run(command, "--yes", "--suffix", "a")
        assert ran.code == 5, ran.err
        assert "stopped" in ran.err
        assert WAKE in ran.err
        assert "Set it back to what it was" not in ran.err
    [told] = [
        part for part in user.run("doctor", "--all", "--suffix", "a").out.split("\n\n") if part.startswith("resources/")
    ]
    assert f"Type: {WAKE}" in told
    assert user.tries(mark) == []

    rds.start_db_cluster(DBClusterIdentifier=CLUSTER)
    user.teardown("a")


@pytest.mark.slow
@pytest.mark.parametrize("ours", [True, False])
def test_a_secret_in_its_recovery_window_comes_back_when_it_is_ours(user: User, *, ours: bool) -> None:
    user = given(user, PASSWORD)
    secrets = client(user.box.endpoint, "secretsmanager")
    user.apply("a")
    (kept,) = secrets.list_secrets()["SecretList"]
    user.teardown("a")
    tags = kept["Tags"] if ours else [{"Key": "Owner", "Value": "them"}]
    told = {"Name": kept["Name"], "Description": kept["Description"], "Tags": tags}
    arn = secrets.create_secret(**told, SecretString='{"username": "a", "password": "Older_than_9-lives"}')["ARN"]
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)

    mark = user.mark()
    ran = user.run("apply", "--yes", "--suffix", "a")

    acts = [act for act in user.tries(mark) if act.startswith("secretsmanager:")]
    if ours:
        assert ran.code == 0, ran.err
        assert acts == ["secretsmanager:RestoreSecret"]
        assert user.plan("a") == "No changes.\n"
    else:
        assert ran.code != 0
        assert acts == []
        assert "somebody else's" in ran.err


def test_credentials_that_lapse_are_resolved_anew_and_the_run_goes_on(user: User) -> None:
    user.box.faults({"at": 9, "fault": "expired"}, {"operation": "ec2:DescribeSubnets", "fault": "expired"})

    user.apply("a")

    told = [call["error"] for call in user.box.calls()]
    assert sum("Expired" in error for error in told) == 2
    assert sum(call["operation"] == "GetCallerIdentity" for call in user.box.calls()) == 4
