"""The two conflicts of log delivery: the one passes, the other lasts and is told with who is in the way."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account_inventory import client
from tests.support.user import User

GLOBAL = "us-east-1"
THEIRS = "somebody-elses-source"


def logs(user: User) -> Any:
    return client(user.box.endpoint, "logs", GLOBAL)


def take_the_records(user: User) -> None:
    """Somebody has the distribution's records delivered already."""
    cloudfront = client(user.box.endpoint, "cloudfront")
    [edge] = cloudfront.list_distributions()["DistributionList"]["Items"]
    logs(user).put_delivery_source(name=THEIRS, resourceArn=edge["ARN"], logType="ACCESS_LOGS")


def test_records_that_go_into_anothers_source_are_refused_in_the_plan_by_its_name(
    user: User,
) -> None:
    user.apply("a")
    take_the_records(user)
    user.environment["MLAPI_LOGS__REQUESTS"] = "true"
    before = user.mark()

    for command in (["plan"], ["apply", "--yes"]):
        ran = user.run(*command, "--suffix", "a")
        assert f"the delivery source {THEIRS} takes the ACCESS_LOGS of" in ran.out + ran.err
        assert "PutDeliverySource" not in str(user.tries(before))
    # The way out of the last one: another suffix would make another distribution, with as much in its way.
    assert f"`aws logs delete-delivery-source --name {THEIRS} --region us-east-1`" in ran.err
    assert "logs.requests=false" in ran.err
    assert "suffix" not in ran.err.rpartition("nothing was changed")[2]

    logs(user).delete_delivery_source(name=THEIRS)
    user.apply("a")
    assert user.plan("a") == "No changes.\n"


def test_a_source_taken_while_the_run_goes_on_is_refused_at_once_by_its_name(user: User) -> None:
    user.environment["MLAPI_LOGS__REQUESTS"] = "true"
    user.apply("a")
    [delivery] = logs(user).describe_deliveries()["deliveries"]
    # A busy one is refused once.
    with pytest.raises(ClientError, match="currently being updated"):
        logs(user).delete_delivery(id=delivery["id"])
    logs(user).delete_delivery(id=delivery["id"])
    logs(user).delete_delivery_source(name=delivery["deliverySourceName"])
    take_the_records(user)

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert f"`aws logs delete-delivery-source --name {THEIRS} --region us-east-1`" in ran.err
    assert "Choose another suffix" not in ran.err


def test_a_delivery_that_finds_its_source_busy_is_made_and_ended_all_the_same(user: User) -> None:
    """The emulator refuses the first call of each; see its manners."""
    user.environment["MLAPI_LOGS__REQUESTS"] = "true"
    before = user.mark()

    user.apply("a")
    user.teardown("a")

    tried = user.tries(before)
    assert [tried.count(f"logs:{one}Delivery") for one in ("Create", "Delete")] == [2, 2]
    assert logs(user).describe_deliveries()["deliveries"] == []
