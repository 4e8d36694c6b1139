"""CloudWatch alarms: the state of new alarms and of alarms that are put again, and composite alarms."""

from __future__ import annotations

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

_known: AccountStore[str] = AccountStore()  # states by alarm name


@always.after("cloudwatch", "PutMetricAlarm")
def set_first_state(call: Call, _: Reply) -> None:
    """Give a new alarm the state INSUFFICIENT_DATA; an alarm that is put again keeps its state.

    Source: botocore ServiceModel, PutMetricAlarm.
    """
    _keep_state(call, call.params["AlarmName"])


def _keep_state(call: Call, name: str) -> None:
    """Set moto's alarm to the remembered state of its name, or INSUFFICIENT_DATA if there is none."""
    alarm = backend("cloudwatch", call.account, call.region).alarms[name]
    alarm.state_value = _known.of(call).setdefault(name, "INSUFFICIENT_DATA")


@always.after("cloudwatch", "SetAlarmState")
def set_state(call: Call, _: Reply) -> None:
    """Remember an alarm's state for when the alarm is put again."""
    _known.of(call)[call.params["AlarmName"]] = call.params["StateValue"]


@always.after("cloudwatch", "DeleteAlarms")
def forget_deleted(call: Call, _: Reply) -> None:
    """Forget states and tags of deleted alarms: an alarm created later under the same name is a new one."""
    alarms = backend("cloudwatch", call.account, call.region)
    for name in call.params["AlarmNames"]:
        _known.of(call).pop(name, None)
        prefix = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        alarms.tagger.delete_all_tags_for_resource(prefix)


@always.before("cloudwatch", "PutCompositeAlarm")
def put_composite(call: Call) -> Reply | None:
    """Store a composite alarm among moto's metric alarms, where moto's reads and tags find it."""
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
        tags=params.get("Tags") if is_new else None,  # AWS ignores tags on an update: botocore ServiceModel
        dimensions=[],
        **dict.fromkeys(("namespace", "metric_name", "comparison_operator", "evaluation_periods", "period"), None),
        **dict.fromkeys(("threshold", "statistic"), None),
    )
    alarm.alarm_rule = params["AlarmRule"]
    for member in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        setattr(alarm, member, params.get(member))
    _keep_state(call, params["AlarmName"])
    return {}


@always.after("cloudwatch", "DescribeAlarms")
def filter_by_type(call: Call, reply: Reply) -> None:
    """Leave out alarms of types that were not asked for; by default only metric alarms are asked for.

    Source: botocore ServiceModel, DescribeAlarms.
    """
    types = call.params.get("AlarmTypes") or ["MetricAlarm"]
    for kind in ("MetricAlarm", "CompositeAlarm"):
        if kind not in types:
            reply[f"{kind}s"] = []


@always.before("cloudwatch", "DeleteAlarms")
def refuse_two_composites(call: Call) -> None:
    """Refuse to delete two composite alarms in one call; unknown names do not count.

    Source: botocore ServiceModel.
    """
    alarms = backend("cloudwatch", call.account, call.region).alarms
    if sum(1 for name in call.params["AlarmNames"] if name in alarms and alarms[name].rule) > 1:
        raise AwsError("ValidationError", "You can delete only one composite alarm in one operation.")
