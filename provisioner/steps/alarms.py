"""CloudWatch alarms, the SNS topics that they notify, and the event of a failed deployment."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.names import four_hex, name_of
from provisioner.resources.cloudwatch import Alarm
from provisioner.resources.events import EventRule, EventTarget
from provisioner.resources.sns import Subscription, Topic, TopicPolicy
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.keys import Keys
from provisioner.steps.lookups import StackLookups
from provisioner.steps.metrics import AlarmMetric, MonitoredResources, firewall_alarm, stack_alarms


def declare_alarms(
    step: Step, settings: Settings, lookups: StackLookups, monitored: MonitoredResources, keys: Keys
) -> None:
    """Declare the alarms and a topic in the stack's region.

    The firewall's alarm is in us-east-1, and so is a second topic for it if the stack is elsewhere.
    """
    if not settings.alarms.enabled:
        return
    topic = _declare_topic(step, settings, lookups, keys, "alerts", step.stack.region)
    for metric in stack_alarms(settings, monitored):
        _declare_alarm(step, metric, topic, "")
    _declare_deployment_event(step, monitored, topic)
    if monitored.web_acl:
        if step.stack.region != GLOBAL_REGION:
            topic = _declare_topic(step, settings, lookups, keys, "global-alerts", GLOBAL_REGION)
        _declare_alarm(step, firewall_alarm(settings, monitored.web_acl), topic, GLOBAL_REGION)


def _declare_topic(
    step: Step, settings: Settings, lookups: StackLookups, keys: Keys, noun: str, region: str
) -> ResourceHandle:
    """Declare a topic with its policy and email subscriptions.

    It is not encrypted with AWS's own key for SNS: CloudWatch may not use that key, and no alarm would
    arrive.
    """
    topic = step(Topic, noun, noun=noun, region=region, **keys.topic_encryption(region))
    step(
        TopicPolicy,
        f"{noun}-policy",
        region=region,
        TopicArn=topic.id,
        Policy={"Version": "2012-10-17", "Statement": _publish_statements(step, lookups, topic, region)},
    )
    for email in dict.fromkeys(settings.alarms.emails):
        step(
            Subscription,
            f"{noun}-{four_hex(email)}",
            region=region,
            TopicArn=topic.id,
            Protocol="email",
            Endpoint=email,
        )
    return topic


def _publish_statements(step: Step, lookups: StackLookups, topic: ResourceHandle, region: str) -> list[dict[str, Any]]:
    """Return the topic policy: only the account's alarms and the stack's event rule may publish."""
    rule = arn(step, lookups, "events", f"rule/{name_of('deployments', step.stack.suffix)}", region)
    return [
        {
            "Sid": name,
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic.id,
            "Condition": condition,
        }
        for name, service, condition in (
            ("Alarms", "cloudwatch", {"StringEquals": {"aws:SourceAccount": lookups.account}}),
            ("Deployments", "events", {"ArnEquals": {"aws:SourceArn": rule}}),
        )
    ]


def _declare_alarm(step: Step, metric: AlarmMetric, topic: ResourceHandle, region: str) -> None:
    """Declare an alarm that notifies the topic when it begins and when it ends."""
    step(
        Alarm,
        metric.logical_id,
        noun=f"api-{metric.noun}" if metric.service_name else metric.noun,
        discriminator=metric.service_name,
        region=region,
        AlarmDescription=f"{metric.description}.",
        AlarmActions=[topic.id],
        OKActions=[topic.id],
        ActionsEnabled=True,
        **metric.props,
    )


def _declare_deployment_event(step: Step, monitored: MonitoredResources, topic: ResourceHandle) -> None:
    """Declare an event rule for failed deployments: ECS publishes them as events, not as a metric."""
    rule = step(
        EventRule,
        "deployments",
        noun="deployments",
        Description="A deployment of ml-api failed",
        State="ENABLED",
        EventPattern={
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "resources": [service.id for service in monitored.tasks.services.values()],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        },
    )
    step(EventTarget, "deployments-alerts", Rule=rule.id, Id="alerts", Arn=topic.id)
