"""SQS: queues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.field_ownership import FieldOwnership
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType

_REDRIVE = "RedrivePolicy"
# GetQueueAttributes returns every attribute as text; those that the stack sets are numbers.
_NUMBERS = frozenset({"MessageRetentionPeriod", "VisibilityTimeout"})
# SQS refuses calls by the code of its former protocol (botocore sqs, awsQueryCompatible).
_NOT_FOUND = codes("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
_DELETED_RECENTLY = codes("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently")


class Queue(ResourceType):
    """A standard queue; a dead-letter queue is one that another queue's redrive policy names."""

    service, id_paths, name_property = "sqs", "QueueUrl", "QueueName"
    max_name_length = 80
    pricing = Pricing(by_use="queue requests")
    ownership = FieldOwnership(("sqs GetQueueAttributes",), unowned="Attributes")
    id_is_name = True
    immutable = frozenset({"QueueName"})
    holds_data = True
    # CreateQueue returns the URL alone: it is ready, and has an ARN, when a read returns it.
    ready = {"Attributes": {}}
    not_found_codes = _NOT_FOUND
    # SQS API reference, DeleteQueue: a name can be used again after 60 seconds.
    retryable_codes = {"create": _DELETED_RECENTLY}
    # SQS API reference, CreateQueue: at least one second until the queue can be used; SetQueueAttributes: most
    # attributes are set everywhere after 60 seconds.
    consistency_seconds, stale_seconds, timeout = 5, 60, minutes(3)
    iam_type, arn_properties = "queue", ("{QueueName}",)
    operations = declare_operations(
        read="GetQueueUrl GetQueueAttributes ListQueueTags",
        create="CreateQueue",
        update="SetQueueAttributes",
        retag="TagQueue UntagQueue",
        delete="DeleteQueue",
    )

    def read(self, sqs: Any, spec: ResourceSpec) -> JsonObject | None:
        """Find the queue by its name, and read its attributes and tags."""
        url = sqs.get_queue_url(QueueName=spec.props["QueueName"])["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        return {
            "QueueName": spec.props["QueueName"],
            "QueueUrl": url,
            "QueueArn": attributes["QueueArn"],
            "Attributes": _from_text(attributes),
            "Tags": tags,
        }

    def create(self, sqs: Any, spec: ResourceSpec) -> JsonObject:
        """Create the queue with CreateQueue; with the same attributes, a second call has no effect."""
        attributes = _to_text(spec.props["Attributes"])
        reply = sqs.create_queue(QueueName=spec.props["QueueName"], Attributes=attributes, tags=dict(spec.tags))
        return {"QueueName": spec.props["QueueName"], "QueueUrl": reply["QueueUrl"]}

    def update(self, sqs: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Set the changed attributes with SetQueueAttributes, which leaves all others."""
        sqs.set_queue_attributes(QueueUrl=spec.id, Attributes=_to_text(changed["Attributes"]))

    def retag(self, sqs: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagQueue and UntagQueue."""
        if put:
            sqs.tag_queue(QueueUrl=spec.id, Tags=dict(put))
        if removed_keys := list(drop):
            sqs.untag_queue(QueueUrl=spec.id, TagKeys=removed_keys)

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the messages."""
        return f"the messages in the queue {props['QueueName']}"

    def delete(self, sqs: Any, spec: ResourceSpec) -> None:
        """Delete the queue with DeleteQueue, and its messages with it."""
        sqs.delete_queue(QueueUrl=spec.id)


def _to_text(attributes: JsonObject) -> dict[str, str]:
    """Return attributes as SQS takes them: each value as text, a redrive policy as JSON."""
    return {
        name: json.dumps(value, sort_keys=True) if name == _REDRIVE else str(value)
        for name, value in attributes.items()
    }


def _from_text(attributes: Mapping[str, str]) -> JsonObject:
    """Return attributes as they are declared: numbers, and a redrive policy as a document."""
    values: dict[str, Any] = {
        name: int(text) if name in _NUMBERS else json.loads(text) if name == _REDRIVE else text
        for name, text in attributes.items()
    }
    if _REDRIVE in values:
        # moto and AWS return the number as it was sent, as a number or as text.
        values[_REDRIVE]["maxReceiveCount"] = int(values[_REDRIVE]["maxReceiveCount"])
    return values
