"""Mute rules that silence the stack's alarms: the read of them, and the check that there is none.

botocore 1.44.5, ListAlarmMuteRules and PutAlarmMuteRule: while such a rule is active, the alarms that it
names still change their states, but their actions are not taken. DescribeAlarms does not show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from provisioner.doctor.check import Finding, Recovered
from provisioner.doctor.context import DoctorContext
from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.tags import GLOBAL_REGION, mapping
from provisioner.service_clients import CloudWatch

# The calls of this module by service; `policy` grants them. Alarms about the edge are in the region of
# CloudFront's metrics.
CALLS = {"cloudwatch": ("DescribeAlarms", "GetAlarmMuteRule", "ListAlarmMuteRules", "ListTagsForResource")}
# How many alarms a finding names.
_MAX_NAMED = 3
_STATUSES: Final = ("ACTIVE", "SCHEDULED")
_NO_RULES: JsonObject = {"AlarmMuteRuleSummaries": []}


@dataclass(frozen=True)
class MuteRule:
    """A mute rule that names alarms of the stack; `is_active` if it silences them now, `end` if it ends."""

    name: str
    region: str
    alarms: tuple[str, ...]
    is_active: bool
    end: datetime | None = None


def read_mute_rules(context: DoctorContext) -> list[MuteRule]:
    """Return the mute rules that name alarms of the stack (ListAlarmMuteRules)."""
    regions = dict.fromkeys((context.region, GLOBAL_REGION))
    rules = [_read_mute_rule(context, region, name) for region in regions for name in _mute_rule_names(context, region)]
    return [rule for rule in rules if rule.alarms]


def _mute_rule_names(context: DoctorContext, region: str) -> list[str]:
    """Return the names of the active and scheduled mute rules in a region."""
    cloudwatch = context.clients.client(CloudWatch, region)
    response = default_if_unsupported(partial(cloudwatch.list_alarm_mute_rules, Statuses=_STATUSES), _NO_RULES)
    return [str(summary["AlarmMuteRuleArn"]).rpartition(":")[2] for summary in response["AlarmMuteRuleSummaries"]]


def _read_mute_rule(context: DoctorContext, region: str, name: str) -> MuteRule:
    """Return a mute rule with those of its alarms that belong to the stack (GetAlarmMuteRule)."""
    rule = context.clients.client(CloudWatch, region).get_alarm_mute_rule(AlarmMuteRuleName=name)
    alarm_names = rule.get("MuteTargets", {}).get("AlarmNames", [])
    stack_alarms = tuple(sorted(_stack_alarm_names(context, region, set(alarm_names))))
    return MuteRule(name, region, stack_alarms, rule.get("Status") == "ACTIVE", rule.get("ExpireDate"))


def _stack_alarm_names(context: DoctorContext, region: str, alarm_names: set[str]) -> Iterator[str]:
    """Yield those of the alarms that have the stack's tags.

    A name alone proves nothing, so DescribeAlarms and ListTagsForResource are called, but only if some name
    has the form of the stack's names.
    """
    if not any(name.startswith(f"{PROJECT}-") and name.endswith(f"-{context.suffix}") for name in alarm_names):
        return
    cloudwatch = context.clients.client(CloudWatch, region)
    for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-")["MetricAlarms"]:
        if alarm["AlarmName"] in alarm_names:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            if has_stack_tags(mapping(tags), context.suffix):
                yield str(alarm["AlarmName"])


def alarms_are_not_muted(rules: list[MuteRule]) -> Finding | None:
    """Check that no mute rule silences an alarm of the stack now.

    Raises:
        Recovered: A mute rule is not active yet, but will silence an alarm.

    """
    active = next((rule for rule in rules if rule.is_active), None)
    if active:
        until = f", and ends on {active.end:%Y-%m-%d %H:%M} UTC at the latest" if active.end else ""
        problem = f"The CloudWatch mute rule {active.name} silences {_alarm_names(active)} now{until}."
        consequence = "They ring and notify nobody: while such a rule is active, no action of an alarm is taken."
        options = f"--alarm-mute-rule-name {active.name} --region {active.region}"
        command = f"aws cloudwatch delete-alarm-mute-rule {options}"
        return Finding("alarms-muted", problem, consequence, command)
    if rules:
        raise Recovered(f"heard now; the mute rule {rules[0].name} will silence {_alarm_names(rules[0])}")
    return None


def _alarm_names(rule: MuteRule) -> str:
    """Return the names of the alarms that a mute rule silences: the first ones, and how many more."""
    further = len(rule.alarms) - _MAX_NAMED
    return ", ".join(rule.alarms[:_MAX_NAMED]) + (f" and {further} more" if further > 0 else "")
