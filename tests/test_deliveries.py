"""The two conflicts of log delivery: the one passes, the other lasts and is told with who is in the way."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import Desk
from tests.inventory import client

GLOBAL = "us-east-1"
THEIRS = "somebody-elses-source"


def logs(desk: Desk) -> Any:
    return client(desk.box.endpoint, "logs", GLOBAL)


def take_the_records(desk: Desk) -> None:
    """Somebody has the distribution's records delivered already."""
    cloudfront = client(desk.box.endpoint, "cloudfront")
    [edge] = cloudfront.list_distributions()["DistributionList"]["Items"]
    logs(desk).put_delivery_source(name=THEIRS, resourceArn=edge["ARN"], logType="ACCESS_LOGS")


def test_records_that_go_into_anothers_source_are_refused_in_the_plan_by_its_name(
    desk: Desk,
) -> None:
    desk.apply("a")
    take_the_records(desk)
    desk.environment["MLAPI_LOGS__REQUESTS"] = "true"
    before = desk.mark()

    for command in (["plan"], ["apply", "--yes"]):
        ran = desk.run(*command, "--suffix", "a")
        assert f"the delivery source {THEIRS} takes the ACCESS_LOGS of" in ran.out + ran.err
        assert "PutDeliverySource" not in str(desk.tries(before))
    # The way out of the last one: another suffix would make another distribution, with as much in its way.
    assert f"`aws logs delete-delivery-source --name {THEIRS} --region us-east-1`" in ran.err
    assert "logs.requests=false" in ran.err
    assert "suffix" not in ran.err.rpartition("nothing was changed")[2]

    logs(desk).delete_delivery_source(name=THEIRS)
    desk.apply("a")
    assert desk.plan("a") == "No changes.\n"


def test_a_source_taken_while_the_run_goes_on_is_refused_at_once_by_its_name(desk: Desk) -> None:
    desk.environment["MLAPI_LOGS__REQUESTS"] = "true"
    desk.apply("a")
    [delivery] = logs(desk).describe_deliveries()["deliveries"]
    # A busy one is refused once.
    with pytest.raises(ClientError, match="currently being updated"):
        logs(desk).delete_delivery(id=delivery["id"])
    logs(desk).delete_delivery(id=delivery["id"])
    logs(desk).delete_delivery_source(name=delivery["deliverySourceName"])
    take_the_records(desk)

    ran = desk.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert f"`aws logs delete-delivery-source --name {THEIRS} --region us-east-1`" in ran.err
    assert "Choose another suffix" not in ran.err


def test_a_delivery_that_finds_its_source_busy_is_made_and_ended_all_the_same(desk: Desk) -> None:
    """The emulator refuses the first call of each; see its manners."""
    desk.environment["MLAPI_LOGS__REQUESTS"] = "true"
    before = desk.mark()

    desk.apply("a")
    desk.teardown("a")

    tried = desk.tries(before)
    assert [tried.count(f"logs:{one}Delivery") for one in ("Create", "Delete")] == [2, 2]
    assert logs(desk).describe_deliveries()["deliveries"] == []
