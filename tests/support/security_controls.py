"""What breaks a control: judged on what the production profile declares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from provisioner.configuration import load_settings
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import JsonObject, SecretValue
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups


@functools.cache
def production(*more: str) -> Stack:
    settings = load_settings(None, ["profile=production", *more], {})
    return build(settings, "prod", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))


def of(stack: Stack, type_name: str) -> list[Resource]:
    return [resource for resource in stack if str(resource.type) == type_name]


def without(stack: Stack, type_name: str, holds: Callable[[JsonObject], bool]) -> Iterator[str]:
    """The nodes of a kind that do not hold; that there is none breaks a control too."""
    resources = of(stack, type_name)
    yield from (resource.logical_id for resource in resources if not holds(resource.props))
    if not resources:
        yield f"no {type_name}"


def containers(stack: Stack) -> Iterator[dict[str, Any]]:
    for resource in of(stack, "TaskDefinition"):
        yield from resource.props["containerDefinitions"]


def open_doors(stack: Stack) -> Iterator[str]:
    for resource in of(stack, "IngressRule"):
        if resource.props.get("CidrIpv4") == "0.0.0.0/0":
            yield resource.logical_id


def unguarded_rules(stack: Stack) -> Iterator[str]:
    for resource in of(stack, "ListenerRule"):
        if not any(one["Field"] == "http-header" for one in resource.props["Conditions"]):
            yield resource.logical_id
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
            if isinstance(pair["value"], SecretValue) or "PASSWORD" in pair["name"] or "KEY" in pair["name"]:
                yield pair["name"]


def loose_trust(stack: Stack) -> Iterator[str]:
    for resource in of(stack, "Role"):
        for statement in resource.props["AssumeRolePolicyDocument"]["Statement"]:
            if "aws:SourceAccount" not in statement.get("Condition", {}).get("StringEquals", {}):
                yield resource.logical_id


def endless_logs(stack: Stack) -> Iterator[str]:
    kept = {resource.depends_on[0] for resource in of(stack, "Retention")}
    groups = [*of(stack, "LogGroup"), *of(stack, "ServiceLogGroup")]
    yield from (resource.logical_id for resource in groups if resource.logical_id not in kept)


def missing_alarms(stack: Stack) -> Iterator[str]:
    there = {resource.logical_id for resource in of(stack, "Alarm")}
    wanted = {"5xx", "target-5xx", "unhealthy", "tasks", "latency", "acu", "db-cpu", "db-connections"}
    yield from sorted(f"alarm-{one}" for one in {*wanted, "throttles", "waf"} if f"alarm-{one}" not in there)


def plain_bucket(stack: Stack) -> Iterator[str]:
    for type_name in ("Bucket", "PublicAccessBlock", "BucketEncryption", "BucketLifecycle"):
        yield from without(stack, type_name, lambda _props: True)
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
    for type_name, key in under.items():
        yield from (resource.logical_id for resource in of(stack, type_name) if key not in resource.props)


def unmeasured(stack: Stack) -> Iterator[str]:
    for resource in of(stack, "DBInstance"):
        if not (resource.props["MonitoringInterval"] and resource.props["EnablePerformanceInsights"]):
            yield resource.logical_id


def lasting_secrets(stack: Stack) -> Iterator[str]:
    rotated = {need for resource in of(stack, "Rotation") for need in resource.depends_on}
    yield from (resource.logical_id for resource in of(stack, "Secret") if resource.logical_id not in rotated)


def open_ways(stack: Stack) -> Iterator[str]:
    for resource in of(stack, "EgressRule"):
        if resource.props.get("CidrIpv4") == "0.0.0.0/0":
            yield resource.logical_id


def none(type_name: str) -> Callable[[Stack], Iterator[str]]:
    return lambda stack: iter(() if of(stack, type_name) else (f"no {type_name}",))


def behaviour(props: JsonObject) -> dict[str, Any]:
    return dict(props["DefaultCacheBehavior"])


def origin(props: JsonObject) -> dict[str, Any]:
    return dict(props["Origins"]["Items"][0]["CustomOriginConfig"])
