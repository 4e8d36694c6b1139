"""EventBridge: rules that match events, and the targets that they send them to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.field_owners.s3_and_monitoring import EVENT_RULE, EVENT_TARGET
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import EventBridge

RULE_NOT_FOUND = codes("ResourceNotFoundException")
_BUSY = codes("ConcurrentModificationException")


class EventRule(ResourceType):
    """A rule on the account's default event bus that matches one type of event."""

    service, id_paths, name_property = "events", "Name", "Name"
    max_name_length = 64
    pricing = FREE
    ownership = EVENT_RULE
    immutable = frozenset({"Name"})
    replacing_calls = {"PutRule": ""}
    # botocore events RuleState
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("ENABLED ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
            unhealthy=in_lower_case("DISABLED"),
        ),
    )
    not_found_codes = RULE_NOT_FOUND
    retryable_codes = {"create": _BUSY, "update": _BUSY, "delete": _BUSY}
    iam_type, arn_properties = "rule-on-default-event-bus", ("{Name}",)
    operations = declare_operations(
        read="DescribeRule ListTagsForResource",
        create="PutRule",
        update="PutRule",
        retag="TagResource UntagResource DescribeRule",
        delete="DeleteRule",
    )

    def read(self, events: EventBridge, spec: ResourceSpec) -> JsonObject | None:
        """Read the rule with DescribeRule, and its tags."""
        actual = events.describe_rule(Name=spec.props["Name"])
        tags = read_tags(events, spec, actual["Arn"], lambda: _list_tags(events, actual["Arn"]))
        return {**actual, "EventPattern": json.loads(actual["EventPattern"]), "Tags": tags}

    def create(self, events: EventBridge, spec: ResourceSpec) -> JsonObject:
        """Create the rule with PutRule; repeating the call has no further effect."""
        reply = events.put_rule(**_to_request(spec.props), Tags=pairs(spec.tags))
        return {**spec.props, "Arn": reply["RuleArn"]}

    def update(self, events: EventBridge, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the whole rule with PutRule; its tags are changed by other calls."""
        events.put_rule(**_to_request(spec.props))

    def retag(self, events: EventBridge, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = events.describe_rule(Name=spec.id)["Arn"]
        if put:
            events.tag_resource(ResourceARN=arn, Tags=pairs(put))
        if removed_keys := list(drop):
            events.untag_resource(ResourceARN=arn, TagKeys=removed_keys)

    def delete(self, events: EventBridge, spec: ResourceSpec) -> None:
        """Delete the rule; its targets were deleted before it."""
        events.delete_rule(Name=spec.id)


def _to_request(props: JsonObject) -> JsonObject:
    return {**props, "EventPattern": json.dumps(props["EventPattern"])}


class EventTarget(ResourceType):
    """A target of a rule: where the rule sends the events that it matches."""

    container_property = "Rule"
    service, id_paths = "events", ("Rule", "Id")
    pricing = FREE
    ownership = EVENT_TARGET
    tagged = False
    unique_properties = ("Rule", "Id")
    lookup_properties = ("Rule",)
    immutable = frozenset({"Rule", "Id"})
    replacing_calls = {"PutTargets": "Targets"}
    not_found_codes = RULE_NOT_FOUND
    retryable_codes = {"create": _BUSY, "update": _BUSY, "delete": _BUSY}
    iam_type, arn_properties = "rule-on-default-event-bus", ("{Rule}",)
    operations = declare_operations(
        read="ListTargetsByRule", create="PutTargets", update="PutTargets", delete="RemoveTargets"
    )

    def read(self, events: EventBridge, spec: ResourceSpec) -> JsonObject | None:
        """Find the target of this id with ListTargetsByRule."""
        targets = events.list_targets_by_rule(Rule=spec.props["Rule"])["Targets"]
        target = next((candidate for candidate in targets if candidate["Id"] == spec.props["Id"]), None)
        return {"Rule": spec.props["Rule"], **target} if target else None

    def create(self, events: EventBridge, spec: ResourceSpec) -> JsonObject:
        """Create the target with PutTargets, which reports a failure in its reply instead of an error."""
        target: Any = {key: value for key, value in spec.props.items() if key != "Rule"}
        _raise_failed_entry(events.put_targets(Rule=spec.props["Rule"], Targets=[target]), "PutTargets")
        return dict(spec.props)

    def update(self, events: EventBridge, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the target with PutTargets."""
        self.create(events, spec)

    def delete(self, events: EventBridge, spec: ResourceSpec) -> None:
        """Delete the target with RemoveTargets."""
        _raise_failed_entry(events.remove_targets(Rule=spec.props["Rule"], Ids=[spec.props["Id"]]), "RemoveTargets")


def _raise_failed_entry(reply: JsonObject, operation: str) -> None:
    """Raise a ClientError for the first entry that EventBridge reports as failed."""
    for entry in reply.get("FailedEntries", []):
        error = {"Code": entry.get("ErrorCode", ""), "Message": entry.get("ErrorMessage", "")}
        raise ClientError({"Error": error}, operation)


def _list_tags(events: EventBridge, arn: str) -> dict[str, str]:
    return mapping(events.list_tags_for_resource(ResourceARN=arn)["Tags"])
