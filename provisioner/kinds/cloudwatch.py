"""CloudWatch: alarms and a dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.kinds.members.watch import ALARM, DASHBOARD
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told
from provisioner.names import PROJECT


class Alarm(Kind):
    """A metric alarm; its state is CloudWatch's and is not compared."""

    service, key, named = "cloudwatch", "AlarmName", "AlarmName"
    members = ALARM
    fixed = frozenset({"AlarmName"})
    replaces = {"PutMetricAlarm": ""}
    # An alarm watches either one metric or an expression (botocore cloudwatch PutMetricAlarm).
    alternatives = frozenset({"ExtendedStatistic", "Metrics", "ThresholdMetricId", "EvaluationCriteria"})
    absent = codes("ResourceNotFound", "ResourceNotFoundException")
    resource, fills = "alarm", ("{AlarmName}",)
    calls = calling(
        read="DescribeAlarms ListTagsForResource",
        create="PutMetricAlarm",
        update="PutMetricAlarm",
        retag="TagResource UntagResource DescribeAlarms ListTagsForResource",
        delete="DeleteAlarms",
    )

    def read(self, cloudwatch: Any, spec: ResourceSpec) -> Doc | None:
        """Read the alarm and its tags; one DescribeAlarms call returns the alarms of all stacks."""
        listed = cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-")["MetricAlarms"]
        mine = next((doc for doc in listed if doc["AlarmName"] == spec.props["AlarmName"]), None)
        if mine is None:
            return None
        arn = mine["AlarmArn"]
        return {**mine, "Tags": tags_told(cloudwatch, spec, arn, lambda: _tags(cloudwatch, arn))}

    def canonical(self, doc: Doc) -> Doc:
        """Drop the members that do not apply to this sort of alarm; ministack 1.5.33 fills them in.

        Source: CloudWatch API, PutMetricAlarm (Statistic, ExtendedStatistic, Metrics).
        """
        without = {"Statistic"} if doc.get("ExtendedStatistic") else set()
        without |= {"Statistic", "Period"} if doc.get("Metrics") else set()
        return {key: value for key, value in doc.items() if key not in without}

    def create(self, cloudwatch: Any, spec: ResourceSpec) -> Doc:
        """Create the alarm with PutMetricAlarm; repeating the call has no further effect."""
        cloudwatch.put_metric_alarm(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def update(self, cloudwatch: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the whole definition with PutMetricAlarm; the alarm keeps its state."""
        cloudwatch.put_metric_alarm(**spec.props)

    def retag(self, cloudwatch: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(cloudwatch, spec) or {})["AlarmArn"]
        if put:
            cloudwatch.tag_resource(ResourceARN=arn, Tags=pairs(put))
        if gone := list(drop):
            cloudwatch.untag_resource(ResourceARN=arn, TagKeys=gone)

    def delete(self, cloudwatch: Any, spec: ResourceSpec) -> None:
        """Delete the alarm; DeleteAlarms is no error where it does not exist."""
        cloudwatch.delete_alarms(AlarmNames=[spec.id])


class Dashboard(Kind):
    """The dashboard that shows the metrics of the stack."""

    service, key, named, noun = "cloudwatch", "DashboardName", "DashboardName", "dashboard"
    members = DASHBOARD
    tagged = False
    fixed = frozenset({"DashboardName"})
    replaces = {"PutDashboard": ""}
    absent = codes("ResourceNotFound", "DashboardNotFoundError")
    resource, fills = "dashboard", ("{DashboardName}",)
    calls = calling(read="GetDashboard", create="PutDashboard", update="PutDashboard", delete="DeleteDashboards")

    def read(self, cloudwatch: Any, spec: ResourceSpec) -> Doc | None:
        """Read the dashboard with GetDashboard, its JSON body parsed."""
        doc = cloudwatch.get_dashboard(DashboardName=spec.props["DashboardName"])
        return {**doc, "DashboardBody": json.loads(doc["DashboardBody"])}

    def create(self, cloudwatch: Any, spec: ResourceSpec) -> Doc:
        """Create the dashboard with PutDashboard; repeating the call has no further effect."""
        body = json.dumps(spec.props["DashboardBody"])
        cloudwatch.put_dashboard(DashboardName=spec.props["DashboardName"], DashboardBody=body)
        return dict(spec.props)

    def update(self, cloudwatch: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the dashboard with PutDashboard."""
        self.create(cloudwatch, spec)

    def delete(self, cloudwatch: Any, spec: ResourceSpec) -> None:
        """Delete the dashboard with DeleteDashboards."""
        cloudwatch.delete_dashboards(DashboardNames=[spec.id])


def _tags(cloudwatch: Any, arn: str) -> dict[str, str]:
    return mapping(cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"])
