"""What breaks that no request passes: only the state file tells of it."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.breakages.deed import Break
from tests.support.live_stack import LiveStack


def _delete_an_alarm(live_stack: LiveStack) -> None:
    cloudwatch = live_stack.aws("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[alarms[0]["AlarmName"]])


def _mute(live_stack: LiveStack) -> None:
    """Somebody mutes an alarm for a day of maintenance that is long over."""
    cloudwatch = live_stack.aws("cloudwatch")
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
