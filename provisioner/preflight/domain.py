"""Checks of a domain: the zone contains its names, certificates cover them, and nobody else serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.preflight.findings import Finding

# The calls of this module by service; `policy` grants them if there is a domain.
CALLS = {
    "acm": ("DescribeCertificate",),
    "cloudfront": ("ListDistributions",),
    "route53": ("GetHostedZone",),
}
_NO_ZONE = frozenset({"NoSuchHostedZone", "InvalidInput"})
_NO_CERTIFICATE = frozenset({"ResourceNotFoundException"})
# CloudFront's error code for a name that another distribution serves.
_TAKEN = "CNAMEAlreadyExists"
# CloudFront's certificates are in this region, whatever the stack's region is.
_OF_THE_EDGE = "us-east-1"


def concerns(stack: Stack) -> bool:
    """Return whether a stack has a domain."""
    edges = (resource for resource in stack if str(resource.type) == "Distribution")
    return any(edge.props["Aliases"]["Items"] for edge in edges)


def domain(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield problems with the hosted zone, with given certificates, and with names already served."""
    new = [
        resource
        for resource in plan.stack
        if plan.changes[resource.logical_id].action in ("create", "replace", "update")
    ]
    names: dict[str, list[Resource]] = {}
    for resource in new:
        if str(resource.type) == "DnsName":
            names.setdefault(resource.props["HostedZoneId"], []).append(resource)
    for zone, resources in names.items():
        yield from _zone(clients, zone, resources)
    for resource in new:
        if str(resource.type) == "Distribution" and resource.props["Aliases"]["Items"]:
            yield from _served(clients, resource)
        for arn, wanted in _given(plan, resource):
            region = _OF_THE_EDGE if str(resource.type) == "Distribution" else ""
            yield from _certificate(clients, resource, arn, region, wanted)


def _zone(clients: Clients, zone: str, resources: list[Resource]) -> Iterator[Finding]:
    """Yield problems with a hosted zone: it does not exist, is private, or does not contain a name."""
    route53 = clients.client("route53")
    try:
        told = route53.get_hosted_zone(Id=zone)["HostedZone"]
    except ClientError as error:
        if code_of(error) not in _NO_ZONE:
            raise
        yield _finding(resources[0], f"there is no hosted zone {zone}", "domain.hosted_zone_id")
        return
    if told["Config"].get("PrivateZone"):
        yield _finding(resources[0], f"the zone {zone} is private", "domain.hosted_zone_id")
    held = told["Name"].rstrip(".")
    for resource in resources:
        name = resource.props["Name"]
        if isinstance(name, str) and not f".{name}".endswith(f".{held}"):
            yield _finding(resource, f"{name} does not lie in the zone {held}", "domain.names")


def _served(clients: Clients, resource: Resource) -> Iterator[Finding]:
    """Yield the names that another distribution of this account serves.

    Distributions of other accounts cannot be listed.
    """
    listed = clients.client("cloudfront").list_distributions().get("DistributionList", {}).get("Items") or []
    for other in listed:
        if other["Comment"] == resource.props["Comment"]:
            continue
        for name in set((other.get("Aliases") or {}).get("Items") or []) & set(resource.props["Aliases"]["Items"]):
            what = f"{name} is served by the distribution {other['Id']} ({other['Comment'] or 'no comment'})"
            yield Finding(f"{resource.step}/{resource.logical_id}", what, resource.type.error_remedies[_TAKEN])


def _given(plan: Plan, resource: Resource) -> Iterator[tuple[str, list[str]]]:
    """Yield each certificate that the settings name for a resource, and the names that it must cover."""
    edges = (one for one in plan.stack if str(one.type) == "Distribution")
    if str(resource.type) == "Distribution":
        listed = [resource.props["ViewerCertificate"].get("ACMCertificateArn")]
        names = resource.props["Aliases"]["Items"]
    elif str(resource.type) == "Listener":
        listed = [one["CertificateArn"] for one in resource.props.get("Certificates", [])]
        names = [origin["DomainName"] for edge in edges for origin in edge.props["Origins"]["Items"]]
    else:
        return
    yield from ((arn, names) for arn in listed if isinstance(arn, str))


def _certificate(
    clients: Clients, resource: Resource, arn: str, region: str, names: Iterable[Any]
) -> Iterator[Finding]:
    """Yield problems with a certificate: it does not exist, is not issued, or does not cover a name."""
    acm = clients.client("acm", region)
    setting = "domain.certificate_arn" if region else "domain.balancer_certificate_arn"
    try:
        told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if code_of(error) not in _NO_CERTIFICATE:
            raise
        yield _finding(resource, f"there is no certificate {arn}", setting)
        return
    if told["Status"] != "ISSUED":
        yield _finding(resource, f"the certificate {arn} is not issued but {told['Status']}", setting)
    for name in names:
        if isinstance(name, str) and not _covers(told, name):
            yield _finding(resource, f"the certificate {arn} does not cover {name}", setting)


def _covers(certificate: Mapping[str, Any], name: str) -> bool:
    """Return whether a certificate is valid for a name, directly or by the wildcard of its parent domain."""
    wild = f"*.{name.split('.', 1)[-1]}"
    return bool({name, wild} & {certificate["DomainName"], *certificate["SubjectAlternativeNames"]})


def _finding(resource: Resource, what: str, setting: str) -> Finding:
    return Finding(f"{resource.step}/{resource.logical_id}", what, f"Correct `{setting}`.")
