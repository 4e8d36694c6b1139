"""A stopped database, a secret in its recovery window, credentials that lapse: what people and time did."""

from __future__ import annotations

import pytest

from tests.harness import Desk
from tests.inventory import client
from tests.test_password import PASSWORD, given

CLUSTER = "ml-api-aurora-a"
WAKE = f"aws rds start-db-cluster --db-cluster-identifier {CLUSTER} --region us-east-1"


@pytest.mark.slow
def test_a_stopped_database_is_not_waited_for_but_shown_with_what_starts_it(desk: Desk) -> None:
    desk.apply("a")
    rds = client(desk.box.endpoint, "rds")
    rds.stop_db_cluster(DBClusterIdentifier=CLUSTER)
    mark = desk.mark()

    for command in ("apply", "teardown"):
        ran = desk.run(command, "--yes", "--suffix", "a")
        assert ran.code == 5, ran.err
        assert "stopped" in ran.err
        assert WAKE in ran.err
        assert "Set it back to what it was" not in ran.err
    [told] = [
        part for part in desk.run("doctor", "--all", "--suffix", "a").out.split("\n\n") if part.startswith("resources/")
    ]
    assert f"Type: {WAKE}" in told
    assert desk.tries(mark) == []

    rds.start_db_cluster(DBClusterIdentifier=CLUSTER)
    desk.teardown("a")


@pytest.mark.slow
@pytest.mark.parametrize("ours", [True, False])
def test_a_secret_in_its_recovery_window_comes_back_when_it_is_ours(desk: Desk, *, ours: bool) -> None:
    user = given(desk, PASSWORD)
    secrets = client(desk.box.endpoint, "secretsmanager")
    user.apply("a")
    (kept,) = secrets.list_secrets()["SecretList"]
    user.teardown("a")
    tags = kept["Tags"] if ours else [{"Key": "Owner", "Value": "them"}]
    told = {"Name": kept["Name"], "Description": kept["Description"], "Tags": tags}
    arn = secrets.create_secret(**told, SecretString='{"username": "a", "password": "Older_than_9-lives"}')["ARN"]
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)

    mark = desk.mark()
    ran = user.run("apply", "--yes", "--suffix", "a")

    acts = [act for act in desk.tries(mark) if act.startswith("secretsmanager:")]
    if ours:
        assert ran.code == 0, ran.err
        assert acts == ["secretsmanager:RestoreSecret"]
        assert user.plan("a") == "No changes.\n"
    else:
        assert ran.code != 0
        assert acts == []
        assert "somebody else's" in ran.err


def test_credentials_that_lapse_are_resolved_anew_and_the_run_goes_on(desk: Desk) -> None:
    desk.box.faults({"at": 9, "fault": "expired"}, {"operation": "ec2:DescribeSubnets", "fault": "expired"})

    desk.apply("a")

    told = [call["error"] for call in desk.box.calls()]
    assert sum("Expired" in error for error in told) == 2
    assert sum(call["operation"] == "GetCallerIdentity" for call in desk.box.calls()) == 4
