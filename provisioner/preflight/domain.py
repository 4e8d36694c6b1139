"""Checks of a domain: the zone contains its names, certificates cover them, and nobody else serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.preflight.finding import Finding, address_of
from provisioner.service_clients import ACM, CloudFront, Route53

# The calls of this module by service; `policy` grants them if there is a domain.
CALLS = {"acm": ("DescribeCertificate",), "cloudfront": ("ListDistributions",), "route53": ("GetHostedZone",)}
_NO_ZONE = frozenset({"NoSuchHostedZone", "InvalidInput"})
_NO_CERTIFICATE = frozenset({"ResourceNotFoundException"})
# CloudFront's error code for a name that another distribution serves.
_NAME_IN_USE = "CNAMEAlreadyExists"
# CloudFront's certificates are in this region, whatever the stack's region is.
_EDGE_REGION = "us-east-1"


def has_domain(stack: Stack) -> bool:
    """Return whether a stack has a domain."""
    return any(distribution.props["Aliases"]["Items"] for distribution in _distributions(stack))


def _distributions(stack: Stack) -> list[Resource]:
    """Return the declared CloudFront distributions."""
    return [resource for resource in stack if str(resource.type) == "Distribution"]


def check_domain(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield problems with the hosted zone, with given certificates, and with names already served."""
    actions = {logical_id: change.action for logical_id, change in plan.changes.items()}
    changed = [resource for resource in plan.stack if actions[resource.logical_id] in ("create", "replace", "update")]
    names_by_zone: dict[str, list[Resource]] = {}
    for resource in changed:
        if str(resource.type) == "DnsName":
            names_by_zone.setdefault(resource.props["HostedZoneId"], []).append(resource)
    for zone, resources in names_by_zone.items():
        yield from _check_zone(clients, zone, resources)
    for resource in changed:
        if str(resource.type) == "Distribution" and resource.props["Aliases"]["Items"]:
            yield from _names_served_elsewhere(clients, resource)
        for arn, covered_names in _given_certificates(plan, resource):
            region = _EDGE_REGION if str(resource.type) == "Distribution" else ""
            yield from _check_certificate(clients, resource, arn, region, covered_names)


def _check_zone(clients: Clients, zone_id: str, resources: list[Resource]) -> Iterator[Finding]:
    """Yield problems with a hosted zone: it does not exist, is private, or does not contain a name."""
    route53 = clients.client(Route53)
    try:
        hosted_zone = route53.get_hosted_zone(Id=zone_id)["HostedZone"]
    except ClientError as error:
        if code_of(error) not in _NO_ZONE:
            raise
        yield _setting_finding(resources[0], f"there is no hosted zone {zone_id}", "domain.hosted_zone_id")
        return
    if hosted_zone["Config"].get("PrivateZone"):
        yield _setting_finding(resources[0], f"the zone {zone_id} is private", "domain.hosted_zone_id")
    zone_name = hosted_zone["Name"].rstrip(".")
    for resource in resources:
        name = resource.props["Name"]
        if isinstance(name, str) and not f".{name}".endswith(f".{zone_name}"):
            yield _setting_finding(resource, f"{name} does not lie in the zone {zone_name}", "domain.names")


def _names_served_elsewhere(clients: Clients, distribution: Resource) -> Iterator[Finding]:
    """Yield the names that another distribution of this account serves.

    Distributions of other accounts cannot be listed.
    """
    summaries = clients.client(CloudFront).list_distributions().get("DistributionList", {}).get("Items") or []
    for other in summaries:
        if other["Comment"] == distribution.props["Comment"]:
            continue
        served = other.get("Aliases", {}).get("Items", [])
        for name in set(served) & set(distribution.props["Aliases"]["Items"]):
            problem = f"{name} is served by the distribution {other['Id']} ({other['Comment'] or 'no comment'})"
            yield Finding(address_of(distribution), problem, distribution.type.error_remedies[_NAME_IN_USE])


def _given_certificates(plan: Plan, resource: Resource) -> Iterator[tuple[str, list[str]]]:
    """Yield each certificate that the settings name for a resource, and the names that it must cover."""
    if str(resource.type) == "Distribution":
        arns = [resource.props["ViewerCertificate"].get("ACMCertificateArn")]
        names = resource.props["Aliases"]["Items"]
    elif str(resource.type) == "Listener":
        arns = [certificate["CertificateArn"] for certificate in resource.props.get("Certificates", [])]
        origins = [distribution.props["Origins"]["Items"] for distribution in _distributions(plan.stack)]
        names = [origin["DomainName"] for items in origins for origin in items]
    else:
        return
    yield from ((arn, names) for arn in arns if isinstance(arn, str))


def _check_certificate(
    clients: Clients, resource: Resource, arn: str, region: str, names: Iterable[Any]
) -> Iterator[Finding]:
    """Yield problems with a certificate: it does not exist, is not issued, or does not cover a name."""
    acm = clients.client(ACM, region)
    setting = "domain.certificate_arn" if region else "domain.balancer_certificate_arn"
    try:
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if code_of(error) not in _NO_CERTIFICATE:
            raise
        yield _setting_finding(resource, f"there is no certificate {arn}", setting)
        return
    if certificate["Status"] != "ISSUED":
        yield _setting_finding(resource, f"the certificate {arn} is not issued but {certificate['Status']}", setting)
    for name in names:
        if isinstance(name, str) and not _covers(certificate, name):
            yield _setting_finding(resource, f"the certificate {arn} does not cover {name}", setting)


def _covers(certificate: Mapping[str, Any], name: str) -> bool:
    """Return whether a certificate is valid for a name, directly or by the wildcard of its parent domain."""
    wildcard = f"*.{name.split('.', 1)[-1]}"
    return bool({name, wildcard} & {certificate["DomainName"], *certificate["SubjectAlternativeNames"]})


def _setting_finding(resource: Resource, problem: str, setting: str) -> Finding:
    """Return the finding for a problem that a correct value of a setting solves."""
    return Finding(address_of(resource), problem, f"Correct `{setting}`.")
