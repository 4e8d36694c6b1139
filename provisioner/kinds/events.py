"""EventBridge: what is listened for, and who is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.watch import EVENT_RULE, EVENT_TARGET
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

NO_RULE = codes("ResourceNotFoundException")
_BUSY = codes("ConcurrentModificationException")


class EventRule(Kind):
    """Listens to the account's own bus for one sort of event."""

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

    def read(self, events: Any, it: Item) -> Doc | None:
        """DescribeRule, and its tags."""
        doc = events.describe_rule(Name=it.props["Name"])
        tags = tags_told(events, it, doc["Arn"], lambda: _tags(events, doc["Arn"]))
        return {**doc, "EventPattern": json.loads(doc["EventPattern"]), "Tags": tags}

    def create(self, events: Any, it: Item) -> Doc:
        """PutRule: a repeated one does no harm."""
        made = events.put_rule(**_asked(it.props), Tags=pairs(it.tags))
        return {**it.props, "Arn": made["RuleArn"]}

    def update(self, events: Any, it: Item, changed: Doc) -> None:
        """PutRule overwrites the whole rule; tags are a matter of their own."""
        events.put_rule(**_asked(it.props))

    def retag(self, events: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        arn = events.describe_rule(Name=it.id)["Arn"]
        if put:
            events.tag_resource(ResourceARN=arn, Tags=pairs(put))
        if gone := list(drop):
            events.untag_resource(ResourceARN=arn, TagKeys=gone)

    def delete(self, events: Any, it: Item) -> None:
        """DeleteRule: its targets went before it."""
        events.delete_rule(Name=it.id)


def _asked(props: Doc) -> Doc:
    return {**props, "EventPattern": json.dumps(props["EventPattern"])}


class EventTarget(Kind):
    """Who a rule tells."""

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
    calls = calling(
        read="ListTargetsByRule", create="PutTargets", update="PutTargets", delete="RemoveTargets"
    )

    def read(self, events: Any, it: Item) -> Doc | None:
        """ListTargetsByRule."""
        listed = events.list_targets_by_rule(Rule=it.props["Rule"])["Targets"]
        mine = next((one for one in listed if one["Id"] == it.props["Id"]), None)
        return {"Rule": it.props["Rule"], **mine} if mine else None

    def create(self, events: Any, it: Item) -> Doc:
        """PutTargets; what AWS did not take is told in the reply, not raised."""
        target = {key: value for key, value in it.props.items() if key != "Rule"}
        _check(events.put_targets(Rule=it.props["Rule"], Targets=[target]), "PutTargets")
        return dict(it.props)

    def update(self, events: Any, it: Item, changed: Doc) -> None:
        """PutTargets."""
        self.create(events, it)

    def delete(self, events: Any, it: Item) -> None:
        """RemoveTargets."""
        _check(events.remove_targets(Rule=it.props["Rule"], Ids=[it.props["Id"]]), "RemoveTargets")


def _check(reply: Doc, operation: str) -> None:
    for failed in reply.get("FailedEntries", []):
        error = {"Code": failed.get("ErrorCode", ""), "Message": failed.get("ErrorMessage", "")}
        raise ClientError({"Error": error}, operation)


def _tags(events: Any, arn: str) -> dict[str, str]:
    return mapping(events.list_tags_for_resource(ResourceARN=arn)["Tags"])
