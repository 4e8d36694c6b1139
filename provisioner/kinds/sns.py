"""SNS: a topic, who may publish to it, and who hears it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.watch import SUBSCRIPTION, TOPIC, TOPIC_POLICY
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

# The wire code of tags on a topic that has just gone (botocore sns ResourceNotFoundException).
NO_TOPIC = codes("NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException")
PENDING = "PendingConfirmation"
# What SNS goes on telling of one that its reader has ended (ansible/ansible#20086).
_ENDED = "Deleted"


class Topic(Kind):
    """Where alarms speak, and subscribers hear."""

    service, key, named = "sns", "TopicArn", "Name"
    members = TOPIC
    id_is_name = True
    fixed = frozenset({"Name"})
    defaults = {"Attributes": {"KmsMasterKeyId": ""}}
    absent = NO_TOPIC
    # The same create again is no error; one with other tags is (botocore sns CreateTopic).
    duplicate = codes("InvalidParameter: already exists")
    resource, fills = "topic", ("{Name}",)
    calls = calling(
        extras="ListSubscriptionsByTopic",
        read="GetTopicAttributes ListTagsForResource ListTopics",
        create="CreateTopic",
        update="SetTopicAttributes",
        retag="TagResource UntagResource",
        delete="DeleteTopic",
    )

    def read(self, sns: Any, it: Item) -> Doc | None:
        """GetTopicAttributes and tags; before them ListTopics, where its ARN is not known."""
        arn = it.id or _named(sns, it.props["Name"])
        if not arn:
            return None
        told = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        tags = tags_told(sns, it, arn, lambda: _tags(sns, arn))
        under = {"KmsMasterKeyId": told.get("KmsMasterKeyId", "")}
        return {"Name": it.props["Name"], "TopicArn": arn, "Attributes": under, "Tags": tags}

    def create(self, sns: Any, it: Item) -> Doc:
        """CreateTopic."""
        made = sns.create_topic(**it.props, Tags=pairs(it.tags))
        return {"Name": it.props["Name"], "TopicArn": made["TopicArn"]}

    def update(self, sns: Any, it: Item, changed: Doc) -> None:
        """SetTopicAttributes: its key, or none."""
        for name, value in changed["Attributes"].items():
            sns.set_topic_attributes(TopicArn=it.id, AttributeName=name, AttributeValue=value)

    def retag(self, sns: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        if put:
            sns.tag_resource(ResourceArn=it.id, Tags=pairs(put))
        if gone := list(drop):
            sns.untag_resource(ResourceArn=it.id, TagKeys=gone)

    def extras(self, sns: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """ListSubscriptionsByTopic: who else hears it; not whom AWS asked and nobody confirmed."""
        ours = inside.values("Endpoint")
        heard = [
            one
            for one in sns.list_subscriptions_by_topic(TopicArn=it.id)["Subscriptions"]
            if one["SubscriptionArn"] not in (PENDING, _ENDED) and one["Endpoint"] not in ours
        ]
        return [
            Extra(
                f"subscription {one['Protocol']} {one['Endpoint']}",
                {},
                "it hears the alarms beside ours while the topic stands; `aws sns unsubscribe "
                f"--subscription-arn {one['SubscriptionArn']} --region {sns.region}` ends it",
            )
            for one in heard
        ]

    def delete(self, sns: Any, it: Item) -> None:
        """DeleteTopic; its subscriptions go with it."""
        sns.delete_topic(TopicArn=it.id)


def _named(sns: Any, name: str) -> str:
    arns = (str(topic["TopicArn"]) for topic in sns.list_topics()["Topics"])
    return next((one for one in arns if one.rsplit(":", 1)[1] == name), "")


class TopicPolicy(Kind):
    """Who may publish to a topic."""

    service, key = "sns", "TopicArn"
    members = TOPIC_POLICY
    whole = frozenset({"Policy"})
    replaces = {"SetTopicAttributes": ""}
    tagged, vanishes = False, True
    within = ("TopicArn",)
    fixed = frozenset({"TopicArn"})
    absent = NO_TOPIC
    resource, fills = "topic", ("{TopicArn}",)
    calls = calling(read="GetTopicAttributes", create="SetTopicAttributes", update="SetTopicAttributes")

    def read(self, sns: Any, it: Item) -> Doc | None:
        """GetTopicAttributes: every topic has a policy from its birth."""
        told = sns.get_topic_attributes(TopicArn=it.props["TopicArn"])["Attributes"]
        return {"TopicArn": it.props["TopicArn"], "Policy": json.loads(told["Policy"])}

    def create(self, sns: Any, it: Item) -> Doc:
        """SetTopicAttributes."""
        document = json.dumps(it.props["Policy"])
        sns.set_topic_attributes(
            TopicArn=it.props["TopicArn"], AttributeName="Policy", AttributeValue=document
        )
        return dict(it.props)

    def update(self, sns: Any, it: Item, changed: Doc) -> None:
        """SetTopicAttributes."""
        self.create(sns, it)

    def delete(self, sns: Any, it: Item) -> None:
        """It goes with its topic."""


class Subscription(Kind):
    """One address that hears a topic, once whoever reads it has confirmed."""

    service, key = "sns", ("TopicArn", "Endpoint")
    members = SUBSCRIPTION
    tagged = False
    claims = ("TopicArn", "Endpoint")
    within = ("TopicArn",)
    absent = NO_TOPIC
    # Nobody can take back a question that was not answered: AWS forgets it by itself after 48 hours
    # (SNS developer guide, delete a subscription).
    lingers = {"SubscriptionArn": PENDING}
    resource, fills = "topic", ("{TopicArn}",)
    calls = calling(
        read="ListSubscriptionsByTopic", create="Subscribe", delete="Unsubscribe ListSubscriptionsByTopic"
    )

    def read(self, sns: Any, it: Item) -> Doc | None:
        """ListSubscriptionsByTopic: the one of this address."""
        listed = sns.list_subscriptions_by_topic(TopicArn=it.props["TopicArn"])["Subscriptions"]
        there = (one for one in listed if one["SubscriptionArn"] != _ENDED)
        return next((dict(one) for one in there if one["Endpoint"] == it.props["Endpoint"]), None)

    def create(self, sns: Any, it: Item) -> Doc:
        """Subscribe: AWS asks the address to confirm."""
        sns.subscribe(**it.props)
        return dict(it.props)

    def delete(self, sns: Any, it: Item) -> None:
        """Unsubscribe, where it was confirmed."""
        now = self.read(sns, it)
        if now and now["SubscriptionArn"] != PENDING:
            sns.unsubscribe(SubscriptionArn=now["SubscriptionArn"])


def _tags(sns: Any, arn: str) -> dict[str, str]:
    return mapping(sns.list_tags_for_resource(ResourceArn=arn)["Tags"])
