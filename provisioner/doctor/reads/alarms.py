"""Mute rules of others that silence the stack's alarms.

botocore 1.44.5, ListAlarmMuteRules and PutAlarmMuteRule: while such a rule is active, the alarms that it
names still change their states, but their actions are not taken. DescribeAlarms does not show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from provisioner.doctor.context import DoctorContext
from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.tagging import GLOBAL_REGION
from provisioner.resources.tags import mapping

# The calls of this module by service; `policy` grants them. Alarms about the edge are in the region of
# CloudFront's metrics.
CALLS = {"cloudwatch": ("DescribeAlarms", "GetAlarmMuteRule", "ListAlarmMuteRules", "ListTagsForResource")}
_STATUSES = ["ACTIVE", "SCHEDULED"]
_NONE: dict[str, Any] = {"AlarmMuteRuleSummaries": []}


@dataclass(frozen=True)
class MutedAlarms:
    """A mute rule that names alarms of the stack; `active` if it silences them now, `end` if it ends."""

    rule: str
    region: str
    alarms: tuple[str, ...]
    active: bool
    end: datetime | None = None


def muted_alarms(context: DoctorContext) -> list[MutedAlarms]:
    """Return the mute rules that name alarms of the stack (ListAlarmMuteRules)."""
    regions = dict.fromkeys((context.region, GLOBAL_REGION))
    found = [_rule(context, region, name) for region in regions for name in _rules(context, region)]
    return [one for one in found if one.alarms]


def _rules(context: DoctorContext, region: str) -> list[str]:
    """Return the names of the active and scheduled mute rules in a region."""
    cloudwatch = context.clients.client("cloudwatch", region)
    listed = default_if_unsupported(partial(cloudwatch.list_alarm_mute_rules, Statuses=_STATUSES), _NONE)
    return [str(one["AlarmMuteRuleArn"]).rpartition(":")[2] for one in listed["AlarmMuteRuleSummaries"]]


def _rule(context: DoctorContext, region: str, name: str) -> MutedAlarms:
    """Return a mute rule with those of its alarms that belong to the stack (GetAlarmMuteRule)."""
    told = context.clients.client("cloudwatch", region).get_alarm_mute_rule(AlarmMuteRuleName=name)
    named = (told.get("MuteTargets") or {}).get("AlarmNames", [])
    ours = tuple(sorted(_ours(context, region, set(named))))
    return MutedAlarms(name, region, ours, told.get("Status") == "ACTIVE", told.get("ExpireDate"))


def _ours(context: DoctorContext, region: str, named: set[str]) -> Iterator[str]:
    """Yield the names of alarms with the stack's tags, as another's name may look like ours.

    It makes no call if no name looks like ours, else DescribeAlarms and ListTagsForResource.
    """
    if not any(one.startswith(f"{PROJECT}-") and one.endswith(f"-{context.suffix}") for one in named):
        return
    cloudwatch = context.clients.client("cloudwatch", region)
    for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-")["MetricAlarms"]:
        if alarm["AlarmName"] in named:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            if has_stack_tags(mapping(tags), context.suffix):
                yield str(alarm["AlarmName"])
