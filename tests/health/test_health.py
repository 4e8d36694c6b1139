"""`status`: what each topic makes of what AWS says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Client, Clients
from provisioner.engine.types.health_status import health_of
from provisioner.errors import CredentialsError
from provisioner.health.certificates import certificates
from provisioner.health.cloudwatch import alarms
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, TopicHealth
from provisioner.health.database import database
from provisioner.health.edge import balancer, edge, firewall
from provisioner.health.services import events, services
from provisioner.health.targets import targets
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.autoscaling import with_suspended_state
from provisioner.terminal.health import condense, health_lines, health_summary

NOW = datetime(2026, 7, 1, tzinfo=UTC)


class Wire:
    """Clients that answer each operation with one reply, or raise it."""

    def __init__(self, **replies: Any) -> None:
        self.replies = replies
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: type[Client], region: str = "") -> Any:
        """A client of any service."""

        def answer(operation: str) -> Any:
            def call(**params: Any) -> Any:
                self.asked.append((f"{region or 'here'}/{service.service_name}/{operation}", params))
                reply = self.replies[operation]
                if isinstance(reply, Exception):
                    raise reply
                return reply

            return call

        class Client:
            def __getattr__(self, operation: str) -> Any:
                return answer(operation)

        return Client()


def refused(operation: str, code: str = "AccessDeniedException") -> ClientError:
    told = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(cast("Any", told), operation)


def scene(*sights: ObservedResource, **replies: Any) -> HealthContext:
    return HealthContext(sights, cast("Clients", Wire(**replies)), NOW.timestamp())


def service(**more: Any) -> ObservedResource:
    counts = {"desiredCount": 3, "runningCount": 2, "pendingCount": 1}
    named = {"serviceName": "s", "clusterArn": "c", "taskDefinition": "arn:aws:ecs:::task-definition/t:7"}
    return ObservedResource(
        "service", "Service", "s", {**counts, **named, "status": "ACTIVE", "deployments": [], **more}
    )


def task(provider: str, status: str = "RUNNING") -> dict[str, str]:
    return {"lastStatus": status, "capacityProviderName": provider, "launchType": "FARGATE"}


def marks(lines: Any) -> list[tuple[str, str]]:
    return [(line.status, line.text) for line in lines]


def test_a_service_is_told_with_the_capacity_it_really_stands_on() -> None:
    tasks = [task("FARGATE_SPOT"), task("FARGATE_SPOT", "PENDING"), task("FARGATE")]

    told = services(scene(service(), list_tasks={"taskArns": ["a", "b", "c"]}, describe_tasks={"tasks": tasks}))

    assert marks(told) == [
        ("unhealthy", "2 of 3 run, 1 pending; t:7"),
        ("info", "1 on FARGATE, 1 on FARGATE_SPOT"),
    ]


def test_a_deployment_under_way_is_told_and_one_that_ended_is_not() -> None:
    open_ = {
        "id": "d2",
        "rolloutState": "IN_PROGRESS",
        "createdAt": NOW - timedelta(minutes=3),
        "runningCount": 1,
        "desiredCount": 3,
        "failedTasks": 2,
    }
    deployments = [open_, {**open_, "id": "d1", "rolloutState": "COMPLETED"}]
    well = service(runningCount=3, pendingCount=0, deployments=deployments)

    lines = list(services(scene(well, list_tasks={"taskArns": []})))

    assert [line.status for line in lines] == ["healthy", "info", "unhealthy"]
    assert lines[-1].text == "deployment IN_PROGRESS for 3 min: 1 of 3 run, 2 failed"
    assert lines[-1].facts["deployment"] == "d2"


def test_what_may_not_be_asked_of_a_service_hides_nothing_else_of_it() -> None:
    lines = list(services(scene(service(runningCount=3), list_tasks=refused("ListTasks"))))

    assert [line.status for line in lines] == ["healthy", "unknown"]
    assert lines[1].text == "unknown: ListTasks answered AccessDeniedException: no"


def test_credentials_that_have_expired_are_no_unknown_part() -> None:
    with pytest.raises(CredentialsError):
        list(services(scene(service(), list_tasks=refused("ListTasks", "ExpiredTokenException"))))


def test_the_ten_last_events_of_all_services_newest_first() -> None:
    said = [{"createdAt": NOW - timedelta(minutes=n), "message": f"m{n}"} for n in range(0, 20, 2)]
    other = [{"createdAt": NOW - timedelta(minutes=1), "message": "other"}]

    lines = list(events(scene(service(events=said), ObservedResource("s2", "Service", "s2", {"events": other}))))

    assert [line.text for line in lines[:3]] == ["service: m0", "s2: other", "service: m2"]
    assert len(lines) == 10
    assert lines[1].name == "2026-06-30T23:59:00Z"


def target(state: str, **more: str) -> dict[str, Any]:
    return {"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": {"State": state, **more}}


GROUP = ObservedResource("tg", "TargetGroup", "tg", {"TargetGroupArn": "arn"})


@pytest.mark.parametrize(
    ("found", "expected_lines"),
    [
        ([target("healthy")], [("healthy", "1 of 1 healthy")]),
        (
            [target("healthy"), target("draining")],
            [("healthy", "1 of 2 healthy"), ("info", "draining")],
        ),
        (
            [target("unhealthy", Reason="Target.Timeout", Description="Request timed out")],
            [("unhealthy", "0 of 1 healthy"), ("unhealthy", "unhealthy (Target.Timeout: Request timed out)")],
        ),
        ([], [("unhealthy", "no target")]),
    ],
    ids=["healthy", "draining", "unhealthy", "none"],
)
def test_a_target_that_does_not_serve_is_told_with_its_reason(
    found: list[dict[str, Any]], expected_lines: list[tuple[str, str]]
) -> None:
    health = {"TargetHealthDescriptions": found}

    assert marks(targets(scene(GROUP, describe_target_health=health))) == expected_lines


def test_a_group_put_aside_for_its_end_is_nobodys_concern() -> None:
    assert list(targets(scene(ObservedResource("tg~old", "TargetGroup", "tg", {"TargetGroupArn": "arn"})))) == []


def test_what_is_not_there_is_unwell_and_what_could_not_be_seen_unknown() -> None:
    gone, hidden = (
        ObservedResource("alb", "LoadBalancer", "alb"),
        ObservedResource("edge", "Distribution", "e", unknown_reason="denied"),
    )

    assert marks(balancer(scene(gone))) == [("unhealthy", "missing")]
    assert marks(edge(scene(hidden))) == [("unknown", "unknown: denied")]


def test_a_distribution_that_is_switched_off_is_not_well() -> None:
    doc = {"Status": "Deployed", "Enabled": False, "DomainName": "d"}

    assert marks(edge(scene(ObservedResource("edge", "Distribution", "e", doc)))) == [("unhealthy", "disabled; d")]


def test_only_an_alarm_that_rings_has_a_line_of_its_own() -> None:
    def alarm(state: str) -> ObservedResource:
        doc = {"StateValue": state, "AlarmDescription": "Too slow.", "StateReason": "1 > 0"}
        return ObservedResource(f"alarm-{state}", "Alarm", state, doc)

    lines = list(alarms(scene(*map(alarm, ("OK", "ALARM", "OK", "INSUFFICIENT_DATA")))))

    assert marks(lines) == [("unhealthy", "in alarm: Too slow. 1 > 0"), ("healthy", "2 OK, 1 without data")]


def test_who_has_not_confirmed_is_told_to_hear_nothing() -> None:
    def reader(arn: str) -> ObservedResource:
        return ObservedResource(
            f"to-{arn}", "Subscription", "", {"SubscriptionArn": arn, "Endpoint": "ops@shop.example"}
        )

    lines = list(alarms(scene(reader("PendingConfirmation"), reader("arn:aws:sns:1"))))

    assert marks(lines) == [("info", "ops@shop.example has not confirmed the subscription, so SNS sends nothing there")]


def test_blocked_requests_are_counted_by_rule_where_cloudfront_is_measured() -> None:
    def visible(name: str) -> dict[str, Any]:
        return {"Name": name, "VisibilityConfig": {"MetricName": f"metric-{name}"}}

    acl = {**visible("acl"), "Rules": [visible("rate"), visible("common")]}
    found = scene(
        ObservedResource("waf", "WebACL", "acl", acl),
        get_metric_data={"MetricDataResults": [{"Id": "m1", "Values": [2.0, 5.0]}, {"Id": "m0", "Values": []}]},
    )

    lines = list(firewall(found))

    assert [(line.name, line.facts["blocked"]) for line in lines] == [("waf.rate", 0), ("waf.common", 7)]
    where, params = cast("Wire", found.clients).asked[0]
    assert where == "us-east-1/cloudwatch/get_metric_data"
    metric = params["MetricDataQueries"][1]["MetricStat"]["Metric"]
    assert [one["Value"] for one in metric["Dimensions"]] == ["metric-acl", "metric-common"]


@pytest.mark.parametrize(("days", "mark"), [(200, "healthy"), (29, "unhealthy")])
def test_a_certificate_is_told_with_its_days(days: int, mark: str) -> None:
    doc = {"Status": "ISSUED", "DomainName": "a.example", "NotAfter": NOW + timedelta(days=days, hours=1)}

    (line,) = certificates(scene(ObservedResource("certificate", "Certificate", "c", doc)))

    assert (line.status, line.facts["days"]) == (mark, days)
    assert line.text.startswith(f"a.example: ISSUED, {days} days left (until 20")


def test_a_certificate_that_is_not_issued_is_not_well() -> None:
    doc = {"Status": "PENDING_VALIDATION", "DomainName": "a.example"}

    told = certificates(scene(ObservedResource("certificate", "Certificate", "c", doc)))

    assert marks(told) == [("unhealthy", "a.example: PENDING_VALIDATION")]


def test_a_certificate_of_somebody_elses_is_told_where_it_is_shown() -> None:
    arn = "arn:aws:acm:us-east-1:1:certificate/c"
    doc = {"Status": "ISSUED", "DomainName": "b.example", "NotAfter": NOW + timedelta(days=99, hours=1)}
    edge_ = ObservedResource("edge", "Distribution", "e", {"ViewerCertificate": {"ACMCertificateArn": arn}})
    secure = ObservedResource("https", "Listener", "l", {"Certificates": [{"CertificateArn": "arn:ours"}]})
    ours = ObservedResource("certificate", "Certificate", "c", {**doc, "CertificateArn": "arn:ours"})

    found = scene(edge_, secure, ours, describe_certificate={"Certificate": doc})

    assert [(line.name, line.facts["days"]) for line in certificates(found)] == [
        ("certificate", 99),
        ("edge", 99),
    ]
    assert cast("Wire", found.clients).asked == [("us-east-1/acm/describe_certificate", {"CertificateArn": arn})]


def test_an_instance_whose_capacity_may_not_be_asked_is_told_all_the_same() -> None:
    doc = {"DBInstanceStatus": "available", "DBInstanceIdentifier": "w"}
    found = scene(ObservedResource("writer", "DBInstance", "w", doc), get_metric_data=refused("GetMetricData"))

    assert [line.status for line in database(found)] == ["healthy", "unknown"]


def test_the_lines_say_by_a_sign_what_a_colour_says() -> None:
    lines = (
        HealthLine("tg", "fine", "healthy"),
        HealthLine("tg", "ill", "unhealthy"),
        HealthLine("other", "denied", "unknown"),
    )
    parts = [TopicHealth("targets", lines)]

    assert list(health_lines(parts)) == [
        ("  targets  tg     fine", ""),
        ("!                 ill", "red"),
        ("?          other  denied", "yellow"),
    ]
    assert health_summary(parts, problems=[]) == ("Unhealthy: targets; unknown: targets.", "red")
    assert health_summary([], problems=[]) == ("Everything is healthy.", "green")
    assert health_summary([], problems=["nat-1"])[0] == "1 resource is missing, not ready or unknown: nat-1."
    many = health_summary([], problems=["a", "b", "c", "d"])[0]
    assert many == "4 resources are missing, not ready or unknown: a, b, c and others."


def test_a_long_name_takes_the_room_of_its_own_line_alone() -> None:
    long = "waf.ShieldMitigationRuleGroup_123456789012_1a2b3c4d-0000"
    parts = [
        TopicHealth("targets", (HealthLine("tg", "fine", "healthy"), HealthLine("10.0.9.9:80", "ill", "unhealthy"))),
        TopicHealth("waf", (HealthLine(long, "added by AWS", "info"),)),
    ]

    assert [text for text, _ in health_lines(parts)] == [
        "  targets  tg           fine",
        "!          10.0.9.9:80  ill",
        f"  waf      {long}  added by AWS",
    ]


def test_what_scales_says_so_in_words_that_speak_for_themselves() -> None:
    target, policy = RESOURCE_TYPES["ScalableTarget"], RESOURCE_TYPES["ScalingPolicy"]

    assert health_of(target, with_suspended_state({})).description == "nothing suspended"
    assert health_of(policy, {"Tracking": "alarms"}).description == "called by its alarms"


def test_a_terminal_has_few_lines_and_none_that_matters_is_among_those_left_out() -> None:
    def rules(*blocked: int) -> TopicHealth:
        lines = zip(("waf.rate", "waf.common"), blocked, strict=True)
        return TopicHealth("firewall", tuple(HealthLine(name, f"blocked {count}", "info") for name, count in lines))

    services = (
        HealthLine("api", "2 of 2 run", "healthy"),
        HealthLine("api", "2 on FARGATE", "info"),
        HealthLine("api", "deployment FAILED", "unhealthy"),
        HealthLine("api", "denied", "unknown"),
        HealthLine("search", "1 of 1 run", "healthy"),
    )
    events = (HealthLine("05:00", "steady", "info"), HealthLine("04:00", "started", "info"))
    topics = [rules(0, 0), rules(0, 7), TopicHealth("services", services), TopicHealth("events", events)]

    shown = [[(line.name, line.text, line.status) for line in topic.lines] for topic in condense(topics)]

    assert shown == [
        [("waf.*", "blocked 0", "info")],
        [("waf.rate", "blocked 0", "info"), ("waf.common", "blocked 7", "info")],
        [
            ("api", "2 of 2 run; 2 on FARGATE", "healthy"),
            ("api", "deployment FAILED", "unhealthy"),
            ("api", "denied", "unknown"),
            ("search", "1 of 1 run", "healthy"),
        ],
        [("1 of 2", "05:00 steady", "info")],
    ]
