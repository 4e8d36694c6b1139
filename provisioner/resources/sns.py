"""SNS: a topic, its access policy, and its subscriptions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.field_owners.s3_and_monitoring import SUBSCRIPTION, TOPIC, TOPIC_POLICY
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import SNS

# ResourceNotFound is the wire code for the tags of a topic that was just deleted (botocore sns
# ResourceNotFoundException).
TOPIC_NOT_FOUND = codes("NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException")
PENDING_CONFIRMATION = "PendingConfirmation"
# SNS lists a subscription under this ARN after its subscriber has ended it (ansible/ansible#20086).
_ENDED_ARN = "Deleted"


class Topic(ResourceType):
    """The topic to which alarms publish."""

    service, id_paths, name_property = "sns", "TopicArn", "Name"
    pricing = Pricing(by_use="notifications")
    ownership = TOPIC
    id_is_name = True
    immutable = frozenset({"Name"})
    defaults = {"Attributes": {"KmsMasterKeyId": ""}}
    not_found_codes = TOPIC_NOT_FOUND
    # Repeating CreateTopic is no error, unless the tags differ (botocore sns CreateTopic).
    already_exists_codes = codes("InvalidParameter: already exists")
    iam_type, arn_properties = "topic", ("{Name}",)
    operations = declare_operations(
        unmanaged="ListSubscriptionsByTopic",
        read="GetTopicAttributes ListTagsForResource ListTopics",
        create="CreateTopic",
        update="SetTopicAttributes",
        retag="TagResource UntagResource",
        delete="DeleteTopic",
    )

    def read(self, sns: SNS, spec: ResourceSpec) -> JsonObject | None:
        """Read the topic's key and tags; find the topic by its name where its ARN is not known yet."""
        arn = spec.id or _find_arn(sns, spec.props["Name"])
        if not arn:
            return None
        reply = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        tags = read_tags(sns, spec, arn, lambda: _list_tags(sns, arn))
        attributes = {"KmsMasterKeyId": reply.get("KmsMasterKeyId", "")}
        return {"Name": spec.props["Name"], "TopicArn": arn, "Attributes": attributes, "Tags": tags}

    def create(self, sns: SNS, spec: ResourceSpec) -> JsonObject:
        """Create the topic with CreateTopic."""
        reply = sns.create_topic(**spec.props, Tags=pairs(spec.tags))
        return {"Name": spec.props["Name"], "TopicArn": reply["TopicArn"]}

    def update(self, sns: SNS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Set the topic's KMS key, or remove it, with SetTopicAttributes."""
        for name, value in changed["Attributes"].items():
            sns.set_topic_attributes(TopicArn=spec.id, AttributeName=name, AttributeValue=value)

    def retag(self, sns: SNS, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        if put:
            sns.tag_resource(ResourceArn=spec.id, Tags=pairs(put))
        if removed_keys := list(drop):
            sns.untag_resource(ResourceArn=spec.id, TagKeys=removed_keys)

    def unmanaged(self, sns: SNS, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the subscriptions that the stack does not declare; they are reported, not removed.

        A subscription that is not confirmed yet is left out.
        """
        declared_endpoints = children.values("Endpoint")
        undeclared = [
            subscription
            for subscription in sns.list_subscriptions_by_topic(TopicArn=spec.id)["Subscriptions"]
            if subscription["SubscriptionArn"] not in (PENDING_CONFIRMATION, _ENDED_ARN)
            and subscription["Endpoint"] not in declared_endpoints
        ]
        return [
            Unmanaged(
                f"subscription {subscription['Protocol']} {subscription['Endpoint']}",
                {},
                "it receives the alarms for as long as the topic exists; `aws sns unsubscribe "
                f"--subscription-arn {subscription['SubscriptionArn']} --region {sns.region}` ends it",
            )
            for subscription in undeclared
        ]

    def delete(self, sns: SNS, spec: ResourceSpec) -> None:
        """Delete the topic; SNS deletes its subscriptions with it."""
        sns.delete_topic(TopicArn=spec.id)


def _find_arn(sns: SNS, name: str) -> str:
    """Return the ARN of the topic with this name; "" if there is none."""
    arns = (str(topic["TopicArn"]) for topic in sns.list_topics()["Topics"])
    return next((arn for arn in arns if arn.rsplit(":", 1)[1] == name), "")


class TopicPolicy(ResourceType):
    """The access policy of a topic: who may publish to it."""

    container_property = "TopicArn"
    service, id_paths = "sns", "TopicArn"
    pricing = FREE
    ownership = TOPIC_POLICY
    exclusive = frozenset({"Policy"})
    replacing_calls = {"SetTopicAttributes": ""}
    tagged, deleted_with_parent = False, True
    lookup_properties = ("TopicArn",)
    immutable = frozenset({"TopicArn"})
    not_found_codes = TOPIC_NOT_FOUND
    iam_type, arn_properties = "topic", ("{TopicArn}",)
    operations = declare_operations(read="GetTopicAttributes", create="SetTopicAttributes", update="SetTopicAttributes")

    def read(self, sns: SNS, spec: ResourceSpec) -> JsonObject | None:
        """Read the policy with GetTopicAttributes; SNS gives every new topic a policy."""
        attributes = sns.get_topic_attributes(TopicArn=spec.props["TopicArn"])["Attributes"]
        return {"TopicArn": spec.props["TopicArn"], "Policy": json.loads(attributes["Policy"])}

    def create(self, sns: SNS, spec: ResourceSpec) -> JsonObject:
        """Set the policy with SetTopicAttributes."""
        document = json.dumps(spec.props["Policy"])
        sns.set_topic_attributes(TopicArn=spec.props["TopicArn"], AttributeName="Policy", AttributeValue=document)
        return dict(spec.props)

    def update(self, sns: SNS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the policy with SetTopicAttributes."""
        self.create(sns, spec)

    def delete(self, sns: SNS, spec: ResourceSpec) -> None:
        """Do nothing: SNS deletes the policy with its topic."""


class Subscription(ResourceType):
    """The subscription of one endpoint to a topic; it takes effect once the recipient has confirmed it."""

    service, id_paths = "sns", ("TopicArn", "Endpoint")
    pricing = FREE
    ownership = SUBSCRIPTION
    tagged = False
    unique_properties = ("TopicArn", "Endpoint")
    lookup_properties = ("TopicArn",)
    not_found_codes = TOPIC_NOT_FOUND
    # A subscription that was never confirmed cannot be deleted: SNS drops it after 48 hours (SNS developer
    # guide, delete a subscription).
    expiring = {"SubscriptionArn": PENDING_CONFIRMATION}
    iam_type, arn_properties = "topic", ("{TopicArn}",)
    operations = declare_operations(
        read="ListSubscriptionsByTopic", create="Subscribe", delete="Unsubscribe ListSubscriptionsByTopic"
    )

    def read(self, sns: SNS, spec: ResourceSpec) -> JsonObject | None:
        """Find the subscription of this endpoint with ListSubscriptionsByTopic."""
        subscriptions = sns.list_subscriptions_by_topic(TopicArn=spec.props["TopicArn"])["Subscriptions"]
        existing = (subscription for subscription in subscriptions if subscription["SubscriptionArn"] != _ENDED_ARN)
        return next(
            (dict(subscription) for subscription in existing if subscription["Endpoint"] == spec.props["Endpoint"]),
            None,
        )

    def create(self, sns: SNS, spec: ResourceSpec) -> JsonObject:
        """Create the subscription with Subscribe; SNS asks the endpoint to confirm it."""
        sns.subscribe(**spec.props)
        return dict(spec.props)

    def delete(self, sns: SNS, spec: ResourceSpec) -> None:
        """Delete the subscription with Unsubscribe, if it was confirmed."""
        actual = self.read(sns, spec)
        if actual and actual["SubscriptionArn"] != PENDING_CONFIRMATION:
            sns.unsubscribe(SubscriptionArn=actual["SubscriptionArn"])


def _list_tags(sns: SNS, arn: str) -> dict[str, str]:
    return mapping(sns.list_tags_for_resource(ResourceArn=arn)["Tags"])
