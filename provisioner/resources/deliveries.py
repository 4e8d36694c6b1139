"""CloudWatch Logs deliveries: how CloudFront's standard logging v2 writes its access logs to a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import matches_codes
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.field_owners.iam_and_logs import DELIVERY, DESTINATION, SOURCE
from provisioner.service_clients import CloudWatchLogs

_NOT_FOUND = codes("ResourceNotFoundException")
# This refusal passes: "Requested resource is currently being updated. Please try again later."
# (hashicorp/terraform-provider-aws#42194).
_BUSY = codes("ConflictException: currently being updated")
# A source can be deleted once its deliveries are gone, and CloudWatch Logs notices that late.
_STILL_IN_USE = codes("ConflictException")
# This refusal does not pass: "This ResourceId has already been used in another Delivery Source in this
# account." (hashicorp/terraform-provider-aws#40885).
_LOGS_TAKEN = codes("ConflictException: already been used")


class _DeliveryResourceType(ResourceType):
    """A resource type of CloudWatch Logs whose tags are set by ARN."""

    service = "logs"
    not_found_codes = _NOT_FOUND
    retryable_codes = {"create": _BUSY, "update": _BUSY, "delete": _STILL_IN_USE}

    def with_tags(self, logs: CloudWatchLogs, actual: JsonObject) -> JsonObject:
        """Return a resource as it was read, and its tags, which need a call of their own."""
        return {**actual, "Tags": logs.list_tags_for_resource(resourceArn=actual["arn"])["tags"]}

    def retag(self, logs: CloudWatchLogs, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(logs, spec) or {})["arn"]
        if put:
            logs.tag_resource(resourceArn=arn, tags=dict(put))
        if removed_keys := list(drop):
            logs.untag_resource(resourceArn=arn, tagKeys=removed_keys)


class DeliverySource(_DeliveryResourceType):
    """A delivery source: the resource whose logs are delivered, and the type of log."""

    id_paths, name_property, noun = "name", "name", "records-source"
    max_name_length = 60
    pricing = FREE
    ownership = SOURCE
    immutable = frozenset({"name", "resourceArn", "logType"})
    already_exists_codes = _LOGS_TAKEN
    # Sources for CloudFront can be made in us-east-1 only (CloudFront developer guide, standard logging v2).
    foreign_remedy = (
        "Delete the delivery source {name}: `aws logs delete-delivery-source --name {name} --region "
        "us-east-1`, after its deliveries (`aws logs describe-deliveries --region us-east-1` lists them). "
        "Or leave the records to it: `logs.requests=false`. Then run the same command again."
    )

    iam_type, arn_properties = "delivery-source", ("{name}",)
    operations = declare_operations(
        read="GetDeliverySource DescribeDeliverySources ListTagsForResource",
        retag="TagResource UntagResource GetDeliverySource DescribeDeliverySources ListTagsForResource",
        create="PutDeliverySource",
        delete="DeleteDeliverySource",
    )

    def read(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject | None:
        """Read the source with GetDeliverySource.

        If no source has our name, return the source that already takes these logs of this resource, if any.
        """
        actual: JsonObject | None
        try:
            actual = logs.get_delivery_source(name=spec.props["name"])["deliverySource"]
        except ClientError as error:
            if spec.id or not matches_codes(error, _NOT_FOUND):
                raise
            actual = _find_source_of_same_logs(logs, spec.props)
            if actual is None:
                raise
        return self.with_tags(logs, {**actual, "resourceArn": next(iter(actual.get("resourceArns") or []), "")})

    def describe_foreign(self, actual: JsonObject) -> str:
        """Return the name of somebody else's source and the logs it takes; AWS allows one source for them."""
        return f"the delivery source {actual['name']} takes the {actual['logType']} of {actual['resourceArn']}"

    def create(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject:
        """Create the source with PutDeliverySource; repeating the call has no further effect."""
        return dict(logs.put_delivery_source(**spec.props, tags=dict(spec.tags))["deliverySource"])

    def delete(self, logs: CloudWatchLogs, spec: ResourceSpec) -> None:
        """Delete the source; its deliveries were deleted before it."""
        logs.delete_delivery_source(name=spec.id)


class DeliveryDestination(_DeliveryResourceType):
    """A delivery destination: where logs are written."""

    id_paths, name_property, noun = "name", "name", "records-destination"
    max_name_length = 60
    pricing = FREE
    ownership = DESTINATION
    immutable = frozenset({"name"})
    replacing_calls = {"PutDeliveryDestination": ""}
    # AWS derives it from the configuration (botocore logs PutDeliveryDestination).
    alternatives = frozenset({"deliveryDestinationType"})

    iam_type, arn_properties = "delivery-destination", ("{name}",)
    operations = declare_operations(
        read="GetDeliveryDestination ListTagsForResource",
        retag="TagResource UntagResource GetDeliveryDestination ListTagsForResource",
        create="PutDeliveryDestination",
        update="PutDeliveryDestination",
        delete="DeleteDeliveryDestination",
    )

    def read(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject | None:
        """Read the destination with GetDeliveryDestination."""
        name = spec.props["name"]
        return self.with_tags(logs, logs.get_delivery_destination(name=name)["deliveryDestination"])

    def create(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject:
        """Create the destination with PutDeliveryDestination; repeating the call has no further effect."""
        return dict(logs.put_delivery_destination(**spec.props, tags=dict(spec.tags))["deliveryDestination"])

    def update(self, logs: CloudWatchLogs, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the destination with PutDeliveryDestination."""
        logs.put_delivery_destination(**spec.props)

    def delete(self, logs: CloudWatchLogs, spec: ResourceSpec) -> None:
        """Delete the destination; its deliveries were deleted before it."""
        logs.delete_delivery_destination(name=spec.id)


class Delivery(_DeliveryResourceType):
    """A delivery: it connects one source with one destination."""

    id_paths, noun = "id", "delivery"
    pricing = Pricing(by_use="delivered access logs")
    ownership = DELIVERY
    unique_properties = lookup_properties = ("deliverySourceName", "deliveryDestinationArn")
    already_exists_codes = codes("ConflictException: already exists")

    iam_type, arn_properties = "delivery", ()
    operations = declare_operations(
        read="DescribeDeliveries ListTagsForResource",
        retag="TagResource UntagResource DescribeDeliveries ListTagsForResource",
        create="CreateDelivery",
        delete="DeleteDelivery",
    )

    def read(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject | None:
        """Find the delivery between this source and this destination with DescribeDeliveries."""
        connection = {key: spec.props[key] for key in self.lookup_properties}
        deliveries = logs.describe_deliveries()["deliveries"]
        actual = next((delivery for delivery in deliveries if connection.items() <= delivery.items()), None)
        return self.with_tags(logs, actual) if actual else None

    def create(self, logs: CloudWatchLogs, spec: ResourceSpec) -> JsonObject:
        """Create the delivery with CreateDelivery."""
        return dict(logs.create_delivery(**spec.props, tags=dict(spec.tags))["delivery"])

    def delete(self, logs: CloudWatchLogs, spec: ResourceSpec) -> None:
        """Delete the delivery with DeleteDelivery."""
        logs.delete_delivery(id=spec.id)


def _find_source_of_same_logs(logs: CloudWatchLogs, props: JsonObject) -> JsonObject | None:
    """Return the source of any name that already takes these logs of this resource; None if none does."""
    sources = logs.describe_delivery_sources()["deliverySources"]
    same_type = (source for source in sources if source["logType"] == props["logType"])
    return next((dict(source) for source in same_type if props["resourceArn"] in source["resourceArns"]), None)
