"""CloudWatch: alarms that have seen no data yet, and composite alarms."""

from __future__ import annotations

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

_known: Shelf[str] = Shelf()


@always.after("cloudwatch", "PutMetricAlarm")
def unknown_at_first(call: Call, _: Reply) -> None:
    """Start without data; a re-put keeps the state (botocore ServiceModel, PutMetricAlarm)."""
    _keep_state(call, call.params["AlarmName"])


def _keep_state(call: Call, name: str) -> None:
    alarm = backend("cloudwatch", call.account, call.region).alarms[name]
    alarm.state_value = _known.of(call).setdefault(name, "INSUFFICIENT_DATA")


@always.after("cloudwatch", "SetAlarmState")
def set_state(call: Call, _: Reply) -> None:
    """Remember the state for a re-put."""
    _known.of(call)[call.params["AlarmName"]] = call.params["StateValue"]


@always.after("cloudwatch", "DeleteAlarms")
def forget(call: Call, _: Reply) -> None:
    """Forget it: an alarm of that name made later is a new one."""
    alarms = backend("cloudwatch", call.account, call.region)
    for name in call.params["AlarmNames"]:
        _known.of(call).pop(name, None)
        prefix = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        alarms.tagger.delete_all_tags_for_resource(prefix)


@always.before("cloudwatch", "PutCompositeAlarm")
def put_composite(call: Call) -> Reply | None:
    """Keep it where moto keeps alarms: its reads and tags know composite ones."""
    params = call.params
    alarms = backend("cloudwatch", call.account, call.region)
    is_new = params["AlarmName"] not in alarms.alarms
    alarm = alarms.put_metric_alarm(
        name=params["AlarmName"],
        rule=params["AlarmRule"],
        description=params.get("AlarmDescription"),
        alarm_actions=params.get("AlarmActions", []),
        ok_actions=params.get("OKActions", []),
        insufficient_data_actions=params.get("InsufficientDataActions", []),
        actions_enabled=params.get("ActionsEnabled", True),
        tags=params.get("Tags") if is_new else None,  # ignored on an update: botocore ServiceModel
        dimensions=[],
        **dict.fromkeys(
            ("namespace", "metric_name", "comparison_operator", "evaluation_periods", "period"), None
        ),
        **dict.fromkeys(("threshold", "statistic"), None),
    )
    alarm.alarm_rule = params["AlarmRule"]
    for kept in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        setattr(alarm, kept, params.get(kept))
    _keep_state(call, params["AlarmName"])
    return {}


@always.after("cloudwatch", "DescribeAlarms")
def only_asked_types(call: Call, reply: Reply) -> None:
    """Without AlarmTypes only metric alarms are told (botocore ServiceModel, DescribeAlarms)."""
    types = call.params.get("AlarmTypes") or ["MetricAlarm"]
    for kind in ("MetricAlarm", "CompositeAlarm"):
        if kind not in types:
            reply[f"{kind}s"] = []


@always.before("cloudwatch", "DeleteAlarms")
def one_composite(call: Call) -> None:
    """Take one composite alarm a call at most; unknown names are passed over (botocore ServiceModel)."""
    alarms = backend("cloudwatch", call.account, call.region).alarms
    if sum(1 for name in call.params["AlarmNames"] if name in alarms and alarms[name].rule) > 1:
        raise AwsError("ValidationError", "You can delete only one composite alarm in one operation.")
