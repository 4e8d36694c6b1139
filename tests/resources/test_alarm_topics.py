"""Who hears the alarms: those of the settings, and whoever else subscribed by hand."""

from __future__ import annotations

from tests.stack.test_foreign_resources import at_ease
from tests.support.account_inventory import client
from tests.support.user import User

HEARD = ("--set", "alarms.enabled=true", "--set", 'alarms.emails=["ops@shop.example"]')


def test_who_hears_the_alarms_beside_ours_is_told_and_left_alone(user: User) -> None:
    user.apply("a", *HEARD)
    with at_ease(user) as aws:
        (topic,) = (one["TopicArn"] for one in aws("sns").list_topics()["Topics"])
        queue = "arn:aws:sqs:us-east-1:999999999999:theirs"
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    told = user.well("drift", "--suffix", "a", *HEARD).out

    assert f"subscription sqs {queue}" in told
    assert "ops@shop.example" not in told
    assert user.plan("a", *HEARD) == "No changes.\n"
    theirs = aws("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(theirs) == 2
    arn = next(one["SubscriptionArn"] for one in theirs if one["Endpoint"] == queue)
    assert f"aws sns unsubscribe --subscription-arn {arn} --region us-east-1" in told
    user.well("teardown", "--yes", "--suffix", "a", *HEARD)
    left = client(user.box.endpoint, "sns").list_subscriptions()["Subscriptions"]
    assert [one for one in left if one["Endpoint"] == queue] == []
