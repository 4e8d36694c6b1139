"""The security posture of the production profile: each control once, and every exception with its reason.

A control says what must hold, why, which setting weakens it, and what it costs a month in us-east-1 for an
idle stack. It is judged on what is declared; tests/test_production.py judges the same stack by AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.configuration import load
from provisioner.engine.graph import Node, Stack
from provisioner.engine.refs import Veiled
from provisioner.settings.knobs import knobs
from provisioner.stack import build
from provisioner.steps.facts import offline

# What breaks a control and is accepted, with its reason.
ACCEPTED = {
    "edge-to-balancer-tls": "without a domain there is no certificate that the load balancer could show; the "
    "key in the header and the rest of the request cross AWS's network in plain HTTP",
    "viewer-tls-1.2": "CloudFront's default certificate takes TLS 1.0 too; a domain of one's own ends that",
    "topics-encrypted": "CloudWatch cannot publish to a topic under alias/aws/sns: alarms would be silent; a "
    "key of one's own is a setting (`encryption.key`), as it costs money and outlives what is under it",
}


@dataclass(frozen=True)
class Control:
    """One thing that must hold: why, the setting that weakens it, its cost, and what breaks it."""

    name: str
    why: str
    setting: str
    cost: str
    broken: Callable[[Stack], Iterator[str]]


# What no longer breaks one, where there is a domain.
DOMAIN = ('domain.names=["api.shop.example"]', "domain.hosted_zone_id=Z0123456789ABCDEFGHIJ")
MENDED = {"edge-to-balancer-tls", "viewer-tls-1.2"}


def production(*more: str) -> Stack:
    settings = load(None, ["profile=production", *more], {})
    return build(settings, "prod", "us-east-1", offline(settings.network.zones, settings.database.version))


def of(stack: Stack, kind: str) -> list[Node]:
    return [node for node in stack if str(node.kind) == kind]


def without(stack: Stack, kind: str, holds: Callable[[dict[str, Any]], bool]) -> Iterator[str]:
    """The nodes of a kind that do not hold; that there is none breaks a control too."""
    nodes = of(stack, kind)
    yield from (node.name for node in nodes if not holds(node.props))
    if not nodes:
        yield f"no {kind}"


def containers(stack: Stack) -> Iterator[dict[str, Any]]:
    for node in of(stack, "TaskDefinition"):
        yield from node.props["containerDefinitions"]


def _open_doors(stack: Stack) -> Iterator[str]:
    for node in of(stack, "IngressRule"):
        if node.props.get("CidrIpv4") == "0.0.0.0/0":
            yield node.name


def _unguarded_rules(stack: Stack) -> Iterator[str]:
    for node in of(stack, "ListenerRule"):
        if not any(one["Field"] == "http-header" for one in node.props["Conditions"]):
            yield node.name
    closed = ("fixed-response", "redirect")
    yield from without(stack, "Listener", lambda p: p["DefaultActions"][0]["Type"] in closed)


def _loose_containers(stack: Stack) -> Iterator[str]:
    for one in containers(stack):
        capabilities = one.get("linuxParameters", {}).get("capabilities", {})
        if not one.get("readonlyRootFilesystem") or capabilities != {"drop": ["ALL"]}:
            yield one["name"]


def _plain_secrets(stack: Stack) -> Iterator[str]:
    for one in containers(stack):
        for pair in one.get("environment", []):
            if isinstance(pair["value"], Veiled) or "PASSWORD" in pair["name"] or "KEY" in pair["name"]:
                yield pair["name"]


def _loose_trust(stack: Stack) -> Iterator[str]:
    for node in of(stack, "Role"):
        for statement in node.props["AssumeRolePolicyDocument"]["Statement"]:
            if "aws:SourceAccount" not in statement.get("Condition", {}).get("StringEquals", {}):
                yield node.name


def _endless_logs(stack: Stack) -> Iterator[str]:
    kept = {node.needs[0] for node in of(stack, "Retention")}
    groups = [*of(stack, "LogGroup"), *of(stack, "ServiceLogGroup")]
    yield from (node.name for node in groups if node.name not in kept)


def _missing_alarms(stack: Stack) -> Iterator[str]:
    there = {node.name for node in of(stack, "Alarm")}
    wanted = {"5xx", "target-5xx", "unhealthy", "tasks", "latency", "acu", "db-cpu", "db-connections"}
    yield from sorted(f"alarm-{one}" for one in {*wanted, "throttles", "waf"} if f"alarm-{one}" not in there)


def _plain_bucket(stack: Stack) -> Iterator[str]:
    for kind in ("Bucket", "PublicAccessBlock", "BucketEncryption", "BucketLifecycle"):
        yield from without(stack, kind, lambda _props: True)
    denied = {"Bool": {"aws:SecureTransport": "false"}}
    yield from without(
        stack,
        "BucketPolicy",
        lambda p: any(one.get("Condition") == denied for one in p["Policy"]["Statement"]),
    )


def _behaviour(props: dict[str, Any]) -> dict[str, Any]:
    return dict(props["DefaultCacheBehavior"])


def _origin(props: dict[str, Any]) -> dict[str, Any]:
    return dict(props["Origins"]["Items"][0]["CustomOriginConfig"])


CONTROLS = [
    Control(
        "vpc-flow-logs",
        "who spoke to whom can be looked up after an incident",
        "network.flow_logs",
        "0.50 USD per GB",
        lambda stack: without(stack, "FlowLog", lambda p: p["TrafficType"] == "ALL"),
    ),
    Control(
        "default-group-bare",
        "what is put into the default group by mistake speaks to nobody",
        "network.bare_default_group",
        "nothing",
        lambda stack: (
            f"no {kind}" for kind in ("BareDefaultIngress", "BareDefaultEgress") if not of(stack, kind)
        ),
    ),
    Control(
        "no-open-door",
        "nobody reaches the load balancer past CloudFront and its firewall",
        "edge.guard",
        "nothing",
        _open_doors,
    ),
    Control(
        "origin-key-required",
        "CloudFront's addresses are every customer's: the key says which distribution calls",
        "edge.guard",
        "0.40 USD (one secret)",
        _unguarded_rules,
    ),
    Control(
        "viewers-use-https",
        "what a viewer sends is read by nobody on the way",
        "none",
        "nothing",
        lambda stack: without(
            stack, "Distribution", lambda p: _behaviour(p)["ViewerProtocolPolicy"] == "redirect-to-https"
        ),
    ),
    Control(
        "viewer-tls-1.2",
        "older versions of TLS can be broken",
        "domain.names",
        "nothing",
        lambda stack: without(
            stack, "Distribution", lambda p: "MinimumProtocolVersion" in p["ViewerCertificate"]
        ),
    ),
    Control(
        "edge-to-balancer-tls",
        "what CloudFront sends on is read by nobody on the way",
        "domain.names",
        "nothing",
        lambda stack: without(
            stack, "Distribution", lambda p: _origin(p)["OriginProtocolPolicy"] == "https-only"
        ),
    ),
    Control(
        "security-headers",
        "a browser that came once comes by HTTPS alone, and guesses no types",
        "edge.security_headers",
        "nothing",
        lambda stack: without(
            stack, "Distribution", lambda p: bool(_behaviour(p)["ResponseHeadersPolicyId"])
        ),
    ),
    Control(
        "firewall",
        "known attacks and floods end before they reach a task",
        "waf.enabled",
        "9 USD, and 0.60 USD per million requests",
        lambda stack: without(stack, "WebACL", lambda p: len(p["Rules"]) >= 4),
    ),
    Control(
        "firewall-logged",
        "what was blocked can be looked up",
        "waf.logs",
        "0.50 USD per GB",
        lambda stack: without(stack, "WebACLLog", lambda p: bool(p["RedactedFields"])),
    ),
    Control(
        "requests-recorded",
        "who asked for what can be looked up",
        "logs.requests",
        "0.023 USD per GB",
        lambda stack: without(
            stack, "LoadBalancerAttributes", lambda p: p["Attributes"]["access_logs.s3.enabled"] == "true"
        ),
    ),
    Control(
        "records-private",
        "records of requests are personal data: private, encrypted, passing, over TLS only",
        "logs.requests",
        "nothing",
        _plain_bucket,
    ),
    Control(
        "bad-headers-dropped",
        "a malformed header is how requests are smuggled",
        "none",
        "nothing",
        lambda stack: without(
            stack,
            "LoadBalancerAttributes",
            lambda p: p["Attributes"]["routing.http.drop_invalid_header_fields.enabled"] == "true",
        ),
    ),
    Control(
        "containers-can-do-little",
        "who takes over a container writes nothing that stays and has no capability to climb with",
        "container.readonly_root, container.drop_capabilities, service.exec",
        "nothing",
        _loose_containers,
    ),
    Control(
        "secrets-by-reference",
        "an environment variable is told by every DescribeTaskDefinition",
        "none",
        "nothing",
        _plain_secrets,
    ),
    Control(
        "no-shell-in-tasks",
        "who may call ExecuteCommand is not root in a container that holds the database's login",
        "service.exec",
        "nothing",
        lambda stack: without(stack, "Service", lambda p: p["enableExecuteCommand"] is False),
    ),
    Control(
        "tasks-private",
        "a task has no public address",
        "none",
        "nothing",
        lambda stack: without(
            stack,
            "Service",
            lambda p: p["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED",
        ),
    ),
    Control(
        "database-private-and-encrypted",
        "the data is reached from the tasks alone, and read from no disk",
        "none",
        "nothing",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["StorageEncrypted"] is True),
            *without(stack, "DBInstance", lambda p: p["PubliclyAccessible"] is False),
        ).__iter__(),
    ),
    Control(
        "database-tls",
        "a connection without TLS is refused",
        "none",
        "nothing",
        lambda stack: without(
            stack, "DBClusterParameters", lambda p: p["Parameters"].get("rds.force_ssl") == "1"
        ),
    ),
    Control(
        "database-login-by-role",
        "a login that lasts 15 minutes cannot be stolen for longer",
        "database.iam_login",
        "nothing",
        lambda stack: without(stack, "DBCluster", lambda p: p["EnableIAMDatabaseAuthentication"] is True),
    ),
    Control(
        "snapshots-tagged",
        "whose data a snapshot holds is told, and policies by tag hold for it",
        "database.tag_snapshots",
        "nothing",
        lambda stack: without(stack, "DBCluster", lambda p: p["CopyTagsToSnapshot"] is True),
    ),
    Control(
        "data-protected",
        "no single command deletes the data",
        "protect_data",
        "the last snapshot's storage, after a teardown",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["DeletionProtection"] and not p["SkipFinalSnapshot"]),
            *without(stack, "Table", lambda p: p["DeletionProtectionEnabled"] is True),
        ).__iter__(),
    ),
    Control(
        "data-backed-up",
        "what was deleted or spoilt can be brought back",
        "database.backup_days, table.point_in_time_recovery",
        "0.20 USD per GB of the table",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["BackupRetentionPeriod"] >= 7),
            *without(
                stack,
                "PointInTimeRecovery",
                lambda p: p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            ),
        ).__iter__(),
    ),
    Control(
        "roles-capped",
        "no role goes beyond what is declared now, whatever anyone adds to it later",
        "roles.boundary",
        "nothing",
        lambda stack: without(stack, "Role", lambda p: bool(p.get("PermissionsBoundary"))),
    ),
    Control(
        "roles-bound",
        "no other account makes a service of AWS act with these roles",
        "roles.bound_trust",
        "nothing",
        _loose_trust,
    ),
    Control("logs-expire", "logs are kept as long as they are needed", "logs.days", "nothing", _endless_logs),
    Control(
        "watched", "what is not well rings", "alarms.enabled", "1.10 USD (eleven alarms)", _missing_alarms
    ),
    Control(
        "topics-encrypted",
        "what rings is read by those who are meant",
        "encryption.key",
        "1 USD a key, one in the stack's region and one in us-east-1",
        lambda stack: without(stack, "Topic", lambda p: "KmsMasterKeyId" in p.get("Attributes", {})),
    ),
]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_the_production_profile_holds_a_control_or_says_why_not(control: Control) -> None:
    broken = list(control.broken(production()))

    assert bool(broken) == (control.name in ACCEPTED), broken


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_with_a_domain_it_holds_those_of_tls_too(control: Control) -> None:
    broken = list(control.broken(production(*DOMAIN)))

    assert bool(broken) == (control.name in ACCEPTED.keys() - MENDED), broken


def test_each_control_is_stated_once_with_all_that_is_to_be_said_of_it() -> None:
    names = [control.name for control in CONTROLS]
    known = knobs().keys()

    assert len(names) == len(set(names))
    assert ACCEPTED.keys() <= set(names)
    for control in CONTROLS:
        assert all((control.why, control.setting, control.cost))
        if control.setting != "none" and " " not in control.setting.replace(", ", ""):
            assert set(control.setting.split(", ")) <= known
