"""CloudWatch alarms, the SNS topics that they notify, and the event of a failed deployment."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.cloudwatch import Alarm
from provisioner.kinds.events import EventRule, EventTarget
from provisioner.kinds.sns import Subscription, Topic, TopicPolicy
from provisioner.kinds.tagging import GLOBAL_REGION
from provisioner.names import four_hex, name_of
from provisioner.settings import Settings
from provisioner.steps.arns import arn
from provisioner.steps.facts import Facts
from provisioner.steps.keys import Keys
from provisioner.steps.measures import Measure, Watched, of_firewall, of_stack


def alarms(up: Piece, s: Settings, facts: Facts, on: Watched, keys: Keys) -> None:
    """Declare the alarms and a topic in the stack's region.

    The firewall's alarm is in us-east-1, and so is a second topic for it if the stack is elsewhere.
    """
    if not s.alarms.enabled:
        return
    topic = _topic(up, s, facts, keys, "alerts", up.stack.region)
    for measure in of_stack(s, on):
        _alarm(up, measure, topic, "")
    _failed_deployments(up, on, topic)
    if on.firewall:
        elsewhere = up.stack.region != GLOBAL_REGION
        far = _topic(up, s, facts, keys, "global-alerts", GLOBAL_REGION) if elsewhere else topic
        _alarm(up, of_firewall(s, on.firewall), far, GLOBAL_REGION)


def _topic(up: Piece, s: Settings, facts: Facts, keys: Keys, noun: str, region: str) -> Handle:
    """Declare a topic with its policy and email subscriptions.

    It is not encrypted with AWS's own key for SNS: CloudWatch may not use that key, and no alarm would
    arrive.
    """
    topic = up(Topic, noun, noun=noun, region=region, **keys.topic(region))
    up(
        TopicPolicy,
        f"{noun}-policy",
        region=region,
        TopicArn=topic.id,
        Policy={"Version": "2012-10-17", "Statement": _publishers(up, facts, topic, region)},
    )
    for email in dict.fromkeys(s.alarms.emails):
        up(
            Subscription,
            f"{noun}-{four_hex(email)}",
            region=region,
            TopicArn=topic.id,
            Protocol="email",
            Endpoint=email,
        )
    return topic


def _publishers(up: Piece, facts: Facts, topic: Handle, region: str) -> list[dict[str, Any]]:
    """Return the topic policy: only the account's alarms and the stack's event rule may publish."""
    rule = arn(up, facts, "events", f"rule/{name_of('deployments', up.stack.suffix)}", region)
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
            ("Alarms", "cloudwatch", {"StringEquals": {"aws:SourceAccount": facts.account}}),
            ("Deployments", "events", {"ArnEquals": {"aws:SourceArn": rule}}),
        )
    ]


def _alarm(up: Piece, measure: Measure, topic: Handle, region: str) -> None:
    up(
        Alarm,
        measure.node,
        noun=f"api-{measure.noun}" if measure.of else measure.noun,
        distinct=measure.of,
        region=region,
        AlarmDescription=f"{measure.says}.",
        AlarmActions=[topic.id],
        OKActions=[topic.id],
        ActionsEnabled=True,
        **measure.props,
    )


def _failed_deployments(up: Piece, on: Watched, topic: Handle) -> None:
    """Declare an event rule for failed deployments: ECS publishes them as events, not as a metric."""
    rule = up(
        EventRule,
        "deployments",
        noun="deployments",
        Description="A deployment of ml-api failed",
        State="ENABLED",
        EventPattern={
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "resources": [service.id for service in on.tasks.services.values()],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        },
    )
    up(EventTarget, "deployments-alerts", Rule=rule.id, Id="alerts", Arn=topic.id)
