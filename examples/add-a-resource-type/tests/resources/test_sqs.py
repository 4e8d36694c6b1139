"""What must hold of the queues, asked of SQS itself."""

from __future__ import annotations

import json
from typing import Any

from tests.support.account_inventory import client, inventory
from tests.support.user import User


def attributes_of(user: User, name: str) -> dict[str, Any]:
    """The attributes of a queue, as SQS returns them."""
    sqs = client(user.box.endpoint, "sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def test_a_message_that_fails_too_often_goes_to_the_dead_letters(user: User) -> None:
    user.apply("prod")

    redrive = json.loads(attributes_of(user, "ml-api-jobs-prod")["RedrivePolicy"])

    assert redrive["deadLetterTargetArn"] == attributes_of(user, "ml-api-dead-letters-prod")["QueueArn"]
    assert int(redrive["maxReceiveCount"]) == 5


def test_an_attribute_that_somebody_changed_is_set_back(user: User) -> None:
    user.apply("prod")
    sqs = client(user.box.endpoint, "sqs")
    url = sqs.get_queue_url(QueueName="ml-api-jobs-prod")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})

    assert "VisibilityTimeout" in user.plan("prod")
    user.apply("prod")

    assert attributes_of(user, "ml-api-jobs-prod")["VisibilityTimeout"] == "60"


def test_a_teardown_leaves_no_queue(user: User) -> None:
    user.apply("prod")
    assert len(inventory(user.box.endpoint)["sqs QueueUrls"]) == 2

    user.teardown("prod")

    assert inventory(user.box.endpoint)["sqs QueueUrls"] == {}
