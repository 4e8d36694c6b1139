"""What breaks that no request passes: only the state file tells of it."""

from __future__ import annotations

from tests.broken.deed import Break
from tests.standing import Standing


def _delete_an_alarm(stack: Standing) -> None:
    cloudwatch = stack.aws("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="ml-api-")["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[alarms[0]["AlarmName"]])


BREAKS: tuple[Break, ...] = (Break("states", "resource-not-healthy", _delete_an_alarm, "is missing", turn=0),)
