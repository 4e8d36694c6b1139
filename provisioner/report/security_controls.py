"""The security controls of a stack, checked on its resources: which hold, and which resource breaks one.

docs/explanation/security-model.md says of each control which threat it is against, and what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.report.resources import ReportResource, ReportResources
from provisioner.terminal.report.contents import Control

FindViolations = Callable[[ReportResources], Iterator[str]]
_ANYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class SecurityControl:
    """A control: what it demands, why, the setting that weakens it, and a check that finds what breaks it."""

    name: str
    reason: str
    setting: str
    find_violations: FindViolations


def check_controls(resources: ReportResources) -> tuple[Control, ...]:
    """Return every control, checked on the existing resources."""
    return tuple(
        Control(control.name, control.reason, control.setting, tuple(control.find_violations(resources)))
        for control in CONTROLS
    )


def _resources_of(resources: ReportResources, type_name: str) -> list[ReportResource]:
    """Return the resources of a type that are not missing."""
    return [
        resource
        for resource in resources.values()
        if resource.type_name == type_name and resource.aws_status != "missing"
    ]


def every(type_name: str, is_met: Callable[[JsonObject], bool]) -> FindViolations:
    """Return a check that yields the resources of a type that `is_met` refuses.

    If there is no resource of the type, the check yields words that say so.
    """

    def find_violations(resources: ReportResources) -> Iterator[str]:
        matching = _resources_of(resources, type_name)
        yield from (resource.logical_id for resource in matching if not is_met(resource.props))
        if not matching:
            yield f"no {type_name}"

    return find_violations


def all_of(*rules: FindViolations) -> FindViolations:
    """Return a check that yields everything that any of `rules` yields."""

    def find_violations(resources: ReportResources) -> Iterator[str]:
        for rule in rules:
            yield from rule(resources)

    return find_violations


def _exists(_props: JsonObject) -> bool:
    """Accept any properties: the resource only has to exist."""
    return True


def _open_ingress_rules(resources: ReportResources) -> Iterator[str]:
    """Yield the ingress rules that are open to every address."""
    for resource in _resources_of(resources, "IngressRule"):
        if resource.props.get("CidrIpv4") in _ANYWHERE or resource.props.get("CidrIpv6") in _ANYWHERE:
            yield resource.logical_id


def _rules_without_key(resources: ReportResources) -> Iterator[str]:
    """Yield the listener rules that do not require CloudFront's key in a header.

    An internal load balancer needs no such header, so nothing breaks the control then.
    """
    for resource in _resources_of(resources, "LoadBalancer"):
        if resource.props.get("Scheme") == "internal":
            return
    for resource in _resources_of(resources, "ListenerRule"):
        if not any(condition["Field"] == "http-header" for condition in resource.props["Conditions"]):
            yield resource.logical_id
    if not _resources_of(resources, "ListenerRule"):
        yield "no ListenerRule"


def _containers(resources: ReportResources) -> Iterator[JsonObject]:
    """Yield the container definitions of all task definitions."""
    for resource in _resources_of(resources, "TaskDefinition"):
        yield from resource.props["containerDefinitions"]


def _weak_containers(resources: ReportResources) -> Iterator[str]:
    """Yield the containers that can write their root file system, or do not drop all capabilities."""
    for container in _containers(resources):
        capabilities = container.get("linuxParameters", {}).get("capabilities", {})
        if not container.get("readonlyRootFilesystem") or "ALL" not in capabilities.get("drop", ()):
            yield str(container["name"])


def _log_groups_without_retention(resources: ReportResources) -> Iterator[str]:
    """Yield the log groups without a retention."""
    with_retention = {name for resource in _resources_of(resources, "Retention") for name in resource.depends_on}
    for resource in (*_resources_of(resources, "LogGroup"), *_resources_of(resources, "ServiceLogGroup")):
        if resource.logical_id not in with_retention:
            yield resource.logical_id


def _viewer_policy(props: JsonObject) -> Any:
    """Return the viewer protocol policy of a distribution."""
    return props["DefaultCacheBehavior"].get("ViewerProtocolPolicy")


def _origins(props: JsonObject) -> list[JsonObject]:
    """Return the custom origin configurations of a distribution."""
    return [origin.get("CustomOriginConfig", {}) for origin in props["Origins"]["Items"]]


def _vpc_config(props: JsonObject) -> JsonObject:
    """Return the network configuration of a service."""
    return dict(props["networkConfiguration"]["awsvpcConfiguration"])


CONTROLS: tuple[SecurityControl, ...] = (
    SecurityControl(
        "Viewers use HTTPS",
        "nobody on the network path can read what a viewer sends",
        "",
        every("Distribution", lambda p: _viewer_policy(p) in ("redirect-to-https", "https-only")),
    ),
    SecurityControl(
        "Viewers use TLS 1.2 or newer",
        "older versions can be broken; CloudFront's own certificate takes them",
        "a domain of one's own",
        every("Distribution", lambda p: "MinimumProtocolVersion" in p["ViewerCertificate"]),
    ),
    SecurityControl(
        "CloudFront speaks TLS to the load balancer",
        "without it the request crosses AWS's network in plain HTTP",
        "a domain of one's own",
        every(
            "Distribution",
            lambda p: all(origin.get("OriginProtocolPolicy") == "https-only" for origin in _origins(p)),
        ),
    ),
    SecurityControl(
        "No ingress rule is open to the internet",
        "nobody can bypass CloudFront and its firewall",
        "edge.guard",
        _open_ingress_rules,
    ),
    SecurityControl(
        "The load balancer asks for CloudFront's key",
        "all customers of CloudFront share its addresses, so the address alone proves nothing",
        "edge.guard",
        _rules_without_key,
    ),
    SecurityControl(
        "A web ACL filters requests",
        "it blocks known attacks and floods of requests",
        "waf.enabled",
        every("WebACL", _exists),
    ),
    SecurityControl(
        "Tasks have no public address",
        "they are reached through the load balancer alone",
        "",
        every("Service", lambda p: _vpc_config(p)["assignPublicIp"] == "DISABLED"),
    ),
    SecurityControl(
        "Containers run with few privileges",
        "an attacker in a container can write no file and use no capability to escape",
        "container.readonly_root, container.drop_capabilities",
        _weak_containers,
    ),
    SecurityControl(
        "The database is private and encrypted",
        "only the tasks can reach the data, and a stolen disk reveals nothing",
        "",
        all_of(
            every("DBCluster", lambda p: p["StorageEncrypted"] is True),
            every("DBInstance", lambda p: p["PubliclyAccessible"] is False),
        ),
    ),
    SecurityControl(
        "The database refuses connections without TLS",
        "nobody on the network path can read a task's queries",
        "",
        every("DBClusterParameters", lambda p: p["Parameters"].get("rds.force_ssl") == "1"),
    ),
    SecurityControl(
        "Data is protected against deletion",
        "no single command deletes it",
        "protect_data",
        all_of(
            every("DBCluster", lambda p: p["DeletionProtection"] is True),
            every("Table", lambda p: p.get("DeletionProtectionEnabled") is True),
        ),
    ),
    SecurityControl(
        "Data is backed up for a week",
        "deleted or damaged data can be restored",
        "database.backup_days, table.point_in_time_recovery",
        all_of(
            every("DBCluster", lambda p: p["BackupRetentionPeriod"] >= 7),  # noqa: PLR2004 - days
            every(
                "PointInTimeRecovery",
                lambda p: p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True,
            ),
        ),
    ),
    SecurityControl(
        "Roles have a permissions boundary",
        "no role can do more than was declared, whatever policy is added to it",
        "roles.boundary",
        every("Role", lambda p: bool(p.get("PermissionsBoundary"))),
    ),
    SecurityControl(
        "The network is recorded",
        "flow logs show who spoke to whom after an incident",
        "network.flow_logs",
        every("FlowLog", _exists),
    ),
    SecurityControl(
        "Requests are recorded",
        "access logs show who requested what",
        "logs.requests",
        every(
            "LoadBalancerAttributes",
            lambda p: p["Attributes"].get("access_logs.s3.enabled") == "true",
        ),
    ),
    SecurityControl(
        "Logs expire", "they are kept as long as they are needed", "logs.days", _log_groups_without_retention
    ),
    SecurityControl(
        "Alarms are declared",
        "somebody is notified when a resource is unhealthy",
        "alarms.enabled",
        every("Alarm", _exists),
    ),
)
