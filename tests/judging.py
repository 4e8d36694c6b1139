"""What breaks a control: judged on what the production profile declares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from provisioner.configuration import load
from provisioner.engine.graph import Node, Stack
from provisioner.engine.refs import Veiled
from provisioner.stack import build
from provisioner.steps.facts import offline


@functools.cache
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


def open_doors(stack: Stack) -> Iterator[str]:
    for node in of(stack, "IngressRule"):
        if node.props.get("CidrIpv4") == "0.0.0.0/0":
            yield node.name


def unguarded_rules(stack: Stack) -> Iterator[str]:
    for node in of(stack, "ListenerRule"):
        if not any(one["Field"] == "http-header" for one in node.props["Conditions"]):
            yield node.name
    closed = ("fixed-response", "redirect")
    yield from without(stack, "Listener", lambda p: p["DefaultActions"][0]["Type"] in closed)


def loose_containers(stack: Stack) -> Iterator[str]:
    for one in containers(stack):
        capabilities = one.get("linuxParameters", {}).get("capabilities", {})
        if not one.get("readonlyRootFilesystem") or capabilities != {"drop": ["ALL"]}:
            yield one["name"]


def plain_secrets(stack: Stack) -> Iterator[str]:
    for one in containers(stack):
        for pair in one.get("environment", []):
            if isinstance(pair["value"], Veiled) or "PASSWORD" in pair["name"] or "KEY" in pair["name"]:
                yield pair["name"]


def loose_trust(stack: Stack) -> Iterator[str]:
    for node in of(stack, "Role"):
        for statement in node.props["AssumeRolePolicyDocument"]["Statement"]:
            if "aws:SourceAccount" not in statement.get("Condition", {}).get("StringEquals", {}):
                yield node.name


def endless_logs(stack: Stack) -> Iterator[str]:
    kept = {node.needs[0] for node in of(stack, "Retention")}
    groups = [*of(stack, "LogGroup"), *of(stack, "ServiceLogGroup")]
    yield from (node.name for node in groups if node.name not in kept)


def missing_alarms(stack: Stack) -> Iterator[str]:
    there = {node.name for node in of(stack, "Alarm")}
    wanted = {"5xx", "target-5xx", "unhealthy", "tasks", "latency", "acu", "db-cpu", "db-connections"}
    yield from sorted(f"alarm-{one}" for one in {*wanted, "throttles", "waf"} if f"alarm-{one}" not in there)


def plain_bucket(stack: Stack) -> Iterator[str]:
    for kind in ("Bucket", "PublicAccessBlock", "BucketEncryption", "BucketLifecycle"):
        yield from without(stack, kind, lambda _props: True)
    denied = {"Bool": {"aws:SecureTransport": "false"}}
    yield from without(
        stack,
        "BucketPolicy",
        lambda p: any(one.get("Condition") == denied for one in p["Policy"]["Statement"]),
    )


def plain_data(stack: Stack) -> Iterator[str]:
    under = {
        "LogGroup": "kmsKeyId",
        "ServiceLogGroup": "kmsKeyId",
        "Table": "SSESpecification",
        "DBCluster": "KmsKeyId",
        "Secret": "KmsKeyId",
    }
    for kind, key in under.items():
        yield from (node.name for node in of(stack, kind) if key not in node.props)


def unmeasured(stack: Stack) -> Iterator[str]:
    for node in of(stack, "DBInstance"):
        if not (node.props["MonitoringInterval"] and node.props["EnablePerformanceInsights"]):
            yield node.name


def lasting_secrets(stack: Stack) -> Iterator[str]:
    rotated = {need for node in of(stack, "Rotation") for need in node.needs}
    yield from (node.name for node in of(stack, "Secret") if node.name not in rotated)


def open_ways(stack: Stack) -> Iterator[str]:
    for node in of(stack, "EgressRule"):
        if node.props.get("CidrIpv4") == "0.0.0.0/0":
            yield node.name


def none(kind: str) -> Callable[[Stack], Iterator[str]]:
    return lambda stack: iter(() if of(stack, kind) else (f"no {kind}",))


def behaviour(props: dict[str, Any]) -> dict[str, Any]:
    return dict(props["DefaultCacheBehavior"])


def origin(props: dict[str, Any]) -> dict[str, Any]:
    return dict(props["Origins"]["Items"][0]["CustomOriginConfig"])
