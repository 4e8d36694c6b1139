"""CloudWatch alarm mute rules, which moto lacks: stored, listed, and active at their scheduled time.

Shapes: botocore 1.44.5, PutAlarmMuteRule. Only a one-time schedule, `at(...)`, is followed, in UTC; a rule
that recurs is always SCHEDULED.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call

_rules: AccountStore[dict[str, Any]] = AccountStore()  # by name


@always.before("cloudwatch", "PutAlarmMuteRule")
def put_rule(call: Call) -> Reply:
    """Store a mute rule, in place of any other of its name."""
    _rules.of(call)[call.params["Name"]] = dict(call.params)
    return {}


@always.before("cloudwatch", "GetAlarmMuteRule")
def get(call: Call) -> Reply:
    """Answer with one mute rule and its status."""
    name = call.params["AlarmMuteRuleName"]
    if name not in _rules.of(call):
        raise AwsError("ResourceNotFoundException", f"The alarm mute rule {name} does not exist", 404)
    rule = {key: value for key, value in _rules.of(call)[name].items() if key != "Tags"}
    return {**rule, **_summary(call, rule)}


@always.before("cloudwatch", "ListAlarmMuteRules")
def list_rules(call: Call) -> Reply:
    """List the mute rules that have one of the requested statuses and name the requested alarm."""
    statuses, alarm = call.params.get("Statuses"), call.params.get("AlarmName")
    summaries = [
        _summary(call, rule)
        for rule in _rules.of(call).values()
        if alarm is None or alarm in rule.get("MuteTargets", {}).get("AlarmNames", [])
    ]
    return {
        "AlarmMuteRuleSummaries": [summary for summary in summaries if not statuses or summary["Status"] in statuses]
    }


@always.before("cloudwatch", "DeleteAlarmMuteRule")
def delete(call: Call) -> Reply:
    """Delete a mute rule; a missing one is no error (botocore ServiceModel names none)."""
    _rules.of(call).pop(call.params["AlarmMuteRuleName"], None)
    return {}


def _summary(call: Call, rule: dict[str, Any]) -> dict[str, Any]:
    """Return the ARN, status, type and expiry date of a mute rule."""
    expression = rule["Rule"]["Schedule"]["Expression"]
    end = {"ExpireDate": rule["ExpireDate"]} if rule.get("ExpireDate") else {}
    return {
        "AlarmMuteRuleArn": f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm-mute-rule:{rule['Name']}",
        "Status": _status(expression, rule["Rule"]["Schedule"]["Duration"]),
        "MuteType": "ONE_TIME" if expression.startswith("at(") else "RECURRING",
        **end,
    }


def _status(expression: str, duration: str) -> str:
    """Return whether a schedule is SCHEDULED, ACTIVE or EXPIRED now."""
    if not expression.startswith("at("):
        return "SCHEDULED"
    start = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC)
    now = datetime.fromtimestamp(clock.now(), UTC)
    if now < start:
        return "SCHEDULED"
    return "ACTIVE" if now < start + _parse_duration(duration) else "EXPIRED"


def _parse_duration(duration: str) -> timedelta:
    """Parse an ISO 8601 duration of days, hours and minutes, such as PT4H or P2DT12H."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration)
    if match is None:
        raise AwsError("ValidationError", f"Invalid duration: {duration}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
