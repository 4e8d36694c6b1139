"""CloudWatch Logs deliveries: how CloudFront's standard logging v2 gets its records to a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import is_named
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.logs import DELIVERY, DESTINATION, SOURCE

_GONE = codes("ResourceNotFoundException")
# "Requested resource is currently being updated. Please try again later." passes
# (hashicorp/terraform-provider-aws#42194).
_BUSY = codes("ConflictException: currently being updated")
# A source goes once its deliveries have gone, and AWS hears of that late.
_HELD = codes("ConflictException")
# "This ResourceId has already been used in another Delivery Source in this account." lasts
# (hashicorp/terraform-provider-aws#40885).
_TAKEN = codes("ConflictException: already been used")


class _Delivered(Kind):
    """What is tagged by its ARN."""

    service = "logs"
    absent = _GONE
    transient = {"create": _BUSY, "update": _BUSY, "delete": _HELD}

    def tagged_doc(self, logs: Any, doc: Doc) -> Doc:
        """The document and its tags: no read tells them."""
        return {**doc, "Tags": logs.list_tags_for_resource(resourceArn=doc["arn"])["tags"]}

    def retag(self, logs: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        arn = (self.read(logs, it) or {})["arn"]
        if put:
            logs.tag_resource(resourceArn=arn, tags=dict(put))
        if gone := list(drop):
            logs.untag_resource(resourceArn=arn, tagKeys=gone)


class DeliverySource(_Delivered):
    """Whose records they are."""

    key, named, noun = "name", "name", "records-source"
    members = SOURCE
    fixed = frozenset({"name", "resourceArn", "logType"})
    duplicate = _TAKEN
    # CloudFront's are taken in us-east-1 alone (CloudFront developer guide, standard logging v2).
    when_anothers = (
        "Delete the delivery source {name}: `aws logs delete-delivery-source --name {name} --region "
        "us-east-1`, after its deliveries (`aws logs describe-deliveries --region us-east-1` lists them). "
        "Or leave the records to it: `logs.requests=false`. Then run the same command again."
    )

    resource, fills = "delivery-source", ("{name}",)
    calls = calling(
        read="GetDeliverySource DescribeDeliverySources ListTagsForResource",
        retag="TagResource UntagResource GetDeliverySource DescribeDeliverySources ListTagsForResource",
        create="PutDeliverySource",
        delete="DeleteDeliverySource",
    )

    def read(self, logs: Any, it: Item) -> Doc | None:
        """GetDeliverySource; where there is none of this name, the one that holds its place."""
        try:
            doc = logs.get_delivery_source(name=it.props["name"])["deliverySource"]
        except ClientError as error:
            holder = None if it.id or not is_named(error, _GONE) else _holder(logs, it.props)
            if holder is None:
                raise
            doc = holder
        return self.tagged_doc(logs, {**doc, "resourceArn": next(iter(doc.get("resourceArns") or []), "")})

    def about(self, doc: Doc) -> str:
        """Its name, and whose records it takes: AWS takes them into one source only."""
        return f"the delivery source {doc['name']} takes the {doc['logType']} of {doc['resourceArn']}"

    def create(self, logs: Any, it: Item) -> Doc:
        """PutDeliverySource: a repeated one does no harm."""
        return dict(logs.put_delivery_source(**it.props, tags=dict(it.tags))["deliverySource"])

    def delete(self, logs: Any, it: Item) -> None:
        """DeleteDeliverySource: its deliveries went before it."""
        logs.delete_delivery_source(name=it.id)


class DeliveryDestination(_Delivered):
    """Where records go."""

    key, named, noun = "name", "name", "records-destination"
    members = DESTINATION
    fixed = frozenset({"name"})
    replaces = {"PutDeliveryDestination": ""}
    # It follows from the configuration (botocore logs PutDeliveryDestination).
    alternatives = frozenset({"deliveryDestinationType"})

    resource, fills = "delivery-destination", ("{name}",)
    calls = calling(
        read="GetDeliveryDestination ListTagsForResource",
        retag="TagResource UntagResource GetDeliveryDestination ListTagsForResource",
        create="PutDeliveryDestination",
        update="PutDeliveryDestination",
        delete="DeleteDeliveryDestination",
    )

    def read(self, logs: Any, it: Item) -> Doc | None:
        """GetDeliveryDestination."""
        name = it.props["name"]
        return self.tagged_doc(logs, logs.get_delivery_destination(name=name)["deliveryDestination"])

    def create(self, logs: Any, it: Item) -> Doc:
        """PutDeliveryDestination: a repeated one does no harm."""
        return dict(logs.put_delivery_destination(**it.props, tags=dict(it.tags))["deliveryDestination"])

    def update(self, logs: Any, it: Item, changed: Doc) -> None:
        """PutDeliveryDestination."""
        logs.put_delivery_destination(**it.props)

    def delete(self, logs: Any, it: Item) -> None:
        """DeleteDeliveryDestination: its deliveries went before it."""
        logs.delete_delivery_destination(name=it.id)


class Delivery(_Delivered):
    """One source to one destination."""

    key, noun = "id", "delivery"
    members = DELIVERY
    claims = within = ("deliverySourceName", "deliveryDestinationArn")
    duplicate = codes("ConflictException: already exists")

    resource, fills = "delivery", ()
    calls = calling(
        read="DescribeDeliveries ListTagsForResource",
        retag="TagResource UntagResource DescribeDeliveries ListTagsForResource",
        create="CreateDelivery",
        delete="DeleteDelivery",
    )

    def read(self, logs: Any, it: Item) -> Doc | None:
        """DescribeDeliveries: the one between the two."""
        mine = {key: it.props[key] for key in self.within}
        listed = logs.describe_deliveries()["deliveries"]
        doc = next((one for one in listed if mine.items() <= one.items()), None)
        return self.tagged_doc(logs, doc) if doc else None

    def create(self, logs: Any, it: Item) -> Doc:
        """CreateDelivery."""
        return dict(logs.create_delivery(**it.props, tags=dict(it.tags))["delivery"])

    def delete(self, logs: Any, it: Item) -> None:
        """DeleteDelivery."""
        logs.delete_delivery(id=it.id)


def _holder(logs: Any, props: Doc) -> Doc | None:
    """Find the source that takes these records of this resource already, whatever its name."""
    listed = logs.describe_delivery_sources()["deliverySources"]
    taken = (one for one in listed if one["logType"] == props["logType"])
    return next((dict(one) for one in taken if props["resourceArn"] in one["resourceArns"]), None)
