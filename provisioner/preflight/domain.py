"""Checks of a domain: the zone contains its names, certificates cover them, and nobody else serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.faults import code_of
from provisioner.engine.graph import Node, Stack
from provisioner.engine.plan import Plan
from provisioner.preflight.finding import Finding

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
    edges = (node for node in stack if str(node.kind) == "Distribution")
    return any(edge.props["Aliases"]["Items"] for edge in edges)


def domain(made: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield problems with the hosted zone, with given certificates, and with names already served."""
    new = [node for node in made.stack if made.changes[node.name].verb in ("create", "replace", "update")]
    names: dict[str, list[Node]] = {}
    for node in new:
        if str(node.kind) == "DnsName":
            names.setdefault(node.props["HostedZoneId"], []).append(node)
    for zone, nodes in names.items():
        yield from _zone(clients, zone, nodes)
    for node in new:
        if str(node.kind) == "Distribution" and node.props["Aliases"]["Items"]:
            yield from _served(clients, node)
        for arn, wanted in _given(made, node):
            region = _OF_THE_EDGE if str(node.kind) == "Distribution" else ""
            yield from _certificate(clients, node, arn, region, wanted)


def _zone(clients: Clients, zone: str, nodes: list[Node]) -> Iterator[Finding]:
    """Yield problems with a hosted zone: it does not exist, is private, or does not contain a name."""
    route53 = clients.client("route53")
    try:
        told = route53.get_hosted_zone(Id=zone)["HostedZone"]
    except ClientError as error:
        if code_of(error) not in _NO_ZONE:
            raise
        yield _finding(nodes[0], f"there is no hosted zone {zone}", "domain.hosted_zone_id")
        return
    if told["Config"].get("PrivateZone"):
        yield _finding(nodes[0], f"the zone {zone} is private", "domain.hosted_zone_id")
    held = told["Name"].rstrip(".")
    for node in nodes:
        name = node.props["Name"]
        if isinstance(name, str) and not f".{name}".endswith(f".{held}"):
            yield _finding(node, f"{name} does not lie in the zone {held}", "domain.names")


def _served(clients: Clients, node: Node) -> Iterator[Finding]:
    """Yield the names that another distribution of this account serves.

    Distributions of other accounts cannot be listed.
    """
    listed = clients.client("cloudfront").list_distributions().get("DistributionList", {}).get("Items") or []
    for other in listed:
        if other["Comment"] == node.props["Comment"]:
            continue
        for name in set((other.get("Aliases") or {}).get("Items") or []) & set(node.props["Aliases"]["Items"]):
            what = f"{name} is served by the distribution {other['Id']} ({other['Comment'] or 'no comment'})"
            yield Finding(f"{node.piece}/{node.name}", what, node.kind.ways_past[_TAKEN])


def _given(made: Plan, node: Node) -> Iterator[tuple[str, list[str]]]:
    """Yield each certificate that the settings name for a resource, and the names that it must cover."""
    edges = (one for one in made.stack if str(one.kind) == "Distribution")
    if str(node.kind) == "Distribution":
        listed = [node.props["ViewerCertificate"].get("ACMCertificateArn")]
        names = node.props["Aliases"]["Items"]
    elif str(node.kind) == "Listener":
        listed = [one["CertificateArn"] for one in node.props.get("Certificates", [])]
        names = [origin["DomainName"] for edge in edges for origin in edge.props["Origins"]["Items"]]
    else:
        return
    yield from ((arn, names) for arn in listed if isinstance(arn, str))


def _certificate(clients: Clients, node: Node, arn: str, region: str, names: Iterable[Any]) -> Iterator[Finding]:
    """Yield problems with a certificate: it does not exist, is not issued, or does not cover a name."""
    acm = clients.client("acm", region)
    setting = "domain.certificate_arn" if region else "domain.balancer_certificate_arn"
    try:
        told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if code_of(error) not in _NO_CERTIFICATE:
            raise
        yield _finding(node, f"there is no certificate {arn}", setting)
        return
    if told["Status"] != "ISSUED":
        yield _finding(node, f"the certificate {arn} is not issued but {told['Status']}", setting)
    for name in names:
        if isinstance(name, str) and not _covers(told, name):
            yield _finding(node, f"the certificate {arn} does not cover {name}", setting)


def _covers(certificate: Mapping[str, Any], name: str) -> bool:
    """Return whether a certificate is valid for a name, directly or by the wildcard of its parent domain."""
    wild = f"*.{name.split('.', 1)[-1]}"
    return bool({name, wild} & {certificate["DomainName"], *certificate["SubjectAlternativeNames"]})


def _finding(node: Node, what: str, setting: str) -> Finding:
    return Finding(f"{node.piece}/{node.name}", what, f"Correct `{setting}`.")
