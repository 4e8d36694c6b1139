"""EventBridge: rules that match events, and the targets that they send them to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.watch import EVENT_RULE, EVENT_TARGET
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

NO_RULE = codes("ResourceNotFoundException")
_BUSY = codes("ConcurrentModificationException")


class EventRule(Kind):
    """A rule on the account's default event bus that matches one type of event."""

    service, key, named = "events", "Name", "Name"
    members = EVENT_RULE
    fixed = frozenset({"Name"})
    replaces = {"PutRule": ""}
    # botocore events RuleState
    states = (
        States(
            "State",
            words("ENABLED ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
            unhealthy=words("DISABLED"),
        ),
    )
    absent = NO_RULE
    transient = {"create": _BUSY, "update": _BUSY, "delete": _BUSY}
    resource, fills = "rule-on-default-event-bus", ("{Name}",)
    calls = calling(
        read="DescribeRule ListTagsForResource",
        create="PutRule",
        update="PutRule",
        retag="TagResource UntagResource DescribeRule",
        delete="DeleteRule",
    )

    def read(self, events: Any, spec: ResourceSpec) -> Doc | None:
        """Read the rule with DescribeRule, and its tags."""
        doc = events.describe_rule(Name=spec.props["Name"])
        tags = tags_told(events, spec, doc["Arn"], lambda: _tags(events, doc["Arn"]))
        return {**doc, "EventPattern": json.loads(doc["EventPattern"]), "Tags": tags}

    def create(self, events: Any, spec: ResourceSpec) -> Doc:
        """Create the rule with PutRule; repeating the call has no further effect."""
        made = events.put_rule(**_asked(spec.props), Tags=pairs(spec.tags))
        return {**spec.props, "Arn": made["RuleArn"]}

    def update(self, events: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the whole rule with PutRule; its tags are changed by other calls."""
        events.put_rule(**_asked(spec.props))

    def retag(self, events: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = events.describe_rule(Name=spec.id)["Arn"]
        if put:
            events.tag_resource(ResourceARN=arn, Tags=pairs(put))
        if gone := list(drop):
            events.untag_resource(ResourceARN=arn, TagKeys=gone)

    def delete(self, events: Any, spec: ResourceSpec) -> None:
        """Delete the rule; its targets were deleted before it."""
        events.delete_rule(Name=spec.id)


def _asked(props: Doc) -> Doc:
    return {**props, "EventPattern": json.dumps(props["EventPattern"])}


class EventTarget(Kind):
    """A target of a rule: where the rule sends the events that it matches."""

    service, key = "events", ("Rule", "Id")
    members = EVENT_TARGET
    tagged = False
    claims = ("Rule", "Id")
    within = ("Rule",)
    fixed = frozenset({"Rule", "Id"})
    replaces = {"PutTargets": "Targets"}
    absent = NO_RULE
    transient = {"create": _BUSY, "update": _BUSY, "delete": _BUSY}
    resource, fills = "rule-on-default-event-bus", ("{Rule}",)
    calls = calling(read="ListTargetsByRule", create="PutTargets", update="PutTargets", delete="RemoveTargets")

    def read(self, events: Any, spec: ResourceSpec) -> Doc | None:
        """Find the target of this id with ListTargetsByRule."""
        listed = events.list_targets_by_rule(Rule=spec.props["Rule"])["Targets"]
        mine = next((one for one in listed if one["Id"] == spec.props["Id"]), None)
        return {"Rule": spec.props["Rule"], **mine} if mine else None

    def create(self, events: Any, spec: ResourceSpec) -> Doc:
        """Create the target with PutTargets, which reports a failure in its reply instead of an error."""
        target = {key: value for key, value in spec.props.items() if key != "Rule"}
        _check(events.put_targets(Rule=spec.props["Rule"], Targets=[target]), "PutTargets")
        return dict(spec.props)

    def update(self, events: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the target with PutTargets."""
        self.create(events, spec)

    def delete(self, events: Any, spec: ResourceSpec) -> None:
        """Delete the target with RemoveTargets."""
        _check(events.remove_targets(Rule=spec.props["Rule"], Ids=[spec.props["Id"]]), "RemoveTargets")


def _check(reply: Doc, operation: str) -> None:
    """Raise a ClientError for the first entry that EventBridge reports as failed."""
    for failed in reply.get("FailedEntries", []):
        error = {"Code": failed.get("ErrorCode", ""), "Message": failed.get("ErrorMessage", "")}
        raise ClientError({"Error": error}, operation)


def _tags(events: Any, arn: str) -> dict[str, str]:
    return mapping(events.list_tags_for_resource(ResourceARN=arn)["Tags"])
