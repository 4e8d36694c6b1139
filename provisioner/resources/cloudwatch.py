"""CloudWatch: alarms and a dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Doc, MonthlyCharge, PricedResources, Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT
from provisioner.resources.field_owners.s3_and_monitoring import ALARM, DASHBOARD
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import CloudWatch


def _charges(props: Doc, _resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of an alarm for each metric that it watches; an expression may use several."""
    watched = [metric for metric in props.get("Metrics") or [] if "MetricStat" in metric]
    yield MonthlyCharge.flat("alarms", "alarm_month", len(watched) or 1)


class Alarm(ResourceType):
    """A metric alarm; its state is CloudWatch's and is not compared."""

    service, id_paths, name_property = "cloudwatch", "AlarmName", "AlarmName"
    pricing = Pricing(_charges)
    ownership = ALARM
    immutable = frozenset({"AlarmName"})
    replacing_calls = {"PutMetricAlarm": ""}
    # An alarm watches either one metric or an expression (botocore cloudwatch PutMetricAlarm).
    alternatives = frozenset({"ExtendedStatistic", "Metrics", "ThresholdMetricId", "EvaluationCriteria"})
    not_found_codes = codes("ResourceNotFound", "ResourceNotFoundException")
    iam_type, arn_properties = "alarm", ("{AlarmName}",)
    operations = declare_operations(
        read="DescribeAlarms ListTagsForResource",
        create="PutMetricAlarm",
        update="PutMetricAlarm",
        retag="TagResource UntagResource DescribeAlarms ListTagsForResource",
        delete="DeleteAlarms",
    )

    def read(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> JsonObject | None:
        """Read the alarm and its tags; one DescribeAlarms call returns the alarms of all stacks."""
        alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-")["MetricAlarms"]
        alarm = next((actual for actual in alarms if actual["AlarmName"] == spec.props["AlarmName"]), None)
        if alarm is None:
            return None
        arn = alarm["AlarmArn"]
        return {**alarm, "Tags": read_tags(cloudwatch, spec, arn, lambda: _list_tags(cloudwatch, arn))}

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Drop the members that do not apply to this sort of alarm; ministack 1.5.33 fills them in.

        Source: CloudWatch API, PutMetricAlarm (Statistic, ExtendedStatistic, Metrics).
        """
        unused_keys = {"Statistic"} if actual.get("ExtendedStatistic") else set()
        unused_keys |= {"Statistic", "Period"} if actual.get("Metrics") else set()
        return {key: value for key, value in actual.items() if key not in unused_keys}

    def create(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> JsonObject:
        """Create the alarm with PutMetricAlarm; repeating the call has no further effect."""
        cloudwatch.put_metric_alarm(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def update(self, cloudwatch: CloudWatch, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the whole definition with PutMetricAlarm; the alarm keeps its state."""
        cloudwatch.put_metric_alarm(**spec.props)

    def retag(self, cloudwatch: CloudWatch, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(cloudwatch, spec) or {})["AlarmArn"]
        if put:
            cloudwatch.tag_resource(ResourceARN=arn, Tags=pairs(put))
        if removed_keys := list(drop):
            cloudwatch.untag_resource(ResourceARN=arn, TagKeys=removed_keys)

    def delete(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> None:
        """Delete the alarm; DeleteAlarms is no error where it does not exist."""
        cloudwatch.delete_alarms(AlarmNames=[spec.id])


class Dashboard(ResourceType):
    """The dashboard that shows the metrics of the stack."""

    service, id_paths, name_property, noun = "cloudwatch", "DashboardName", "DashboardName", "dashboard"
    pricing = Pricing.monthly("dashboards", "dashboard_month")
    ownership = DASHBOARD
    tagged = False
    immutable = frozenset({"DashboardName"})
    replacing_calls = {"PutDashboard": ""}
    not_found_codes = codes("ResourceNotFound", "DashboardNotFoundError")
    iam_type, arn_properties = "dashboard", ("{DashboardName}",)
    operations = declare_operations(
        read="GetDashboard", create="PutDashboard", update="PutDashboard", delete="DeleteDashboards"
    )

    def read(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> JsonObject | None:
        """Read the dashboard with GetDashboard, its JSON body parsed."""
        actual = cloudwatch.get_dashboard(DashboardName=spec.props["DashboardName"])
        return {**actual, "DashboardBody": json.loads(actual["DashboardBody"])}

    def create(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> JsonObject:
        """Create the dashboard with PutDashboard; repeating the call has no further effect."""
        body = json.dumps(spec.props["DashboardBody"])
        cloudwatch.put_dashboard(DashboardName=spec.props["DashboardName"], DashboardBody=body)
        return dict(spec.props)

    def update(self, cloudwatch: CloudWatch, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the dashboard with PutDashboard."""
        self.create(cloudwatch, spec)

    def delete(self, cloudwatch: CloudWatch, spec: ResourceSpec) -> None:
        """Delete the dashboard with DeleteDashboards."""
        cloudwatch.delete_dashboards(DashboardNames=[spec.id])


def _list_tags(cloudwatch: CloudWatch, arn: str) -> dict[str, str]:
    return mapping(cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"])
