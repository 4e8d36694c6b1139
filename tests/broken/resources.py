"""What breaks that no request passes: only the state file tells of it."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.broken.deed import Break
from tests.standing import Standing


def _delete_an_alarm(stack: Standing) -> None:
    cloudwatch = stack.aws("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[alarms[0]["AlarmName"]])


def _mute(stack: Standing) -> None:
    """Somebody mutes an alarm for a day of maintenance that is long over."""
    cloudwatch = stack.aws("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    schedule = {"Expression": f"at({datetime.now(UTC):%Y-%m-%dT%H:%M})", "Duration": "P7D"}
    cloudwatch.put_alarm_mute_rule(
        Name="maintenance",
        Rule={"Schedule": schedule},
        MuteTargets={"AlarmNames": [alarms[0]["AlarmName"], "theirs"]},
    )


BREAKS: tuple[Break, ...] = (
    Break("states", "resource-not-healthy", _delete_an_alarm, "is missing", turn=0),
    Break(
        "alarms",
        "alarms-muted",
        _mute,
        "The CloudWatch mute rule maintenance silences ml-api-",
        "aws cloudwatch delete-alarm-mute-rule",
    ),
)
