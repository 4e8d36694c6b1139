"""Reads of DNS records from Route 53, and of certificates from ACM."""

from __future__ import annotations

from provisioner.doctor.asked.balancer import balancer, listeners
from provisioner.doctor.asked.edge import distribution
from provisioner.doctor.finding import Doc, Unseen
from provisioner.doctor.patient import Patient
from provisioner.resources.tagging import GLOBAL_REGION

# The calls of this module by service; `policy` grants them.
CALLS = {
    "route53": ("ListHostedZones", "ListResourceRecordSets"),
    "acm": ("DescribeCertificate",),
}


def aliases(p: Patient) -> dict[str, list[Doc]]:
    """Return the DNS records of each domain name of the distribution."""
    return {name: records(p, name) for name in _own_names(p)}


def _own_names(p: Patient) -> list[str]:
    """Return the domain names of the distribution, without its name at CloudFront."""
    return list((distribution(p).found.get("Aliases") or {}).get("Items") or [])


def origins(p: Patient) -> dict[str, list[Doc]]:
    """Return the DNS records of each origin's name that is not the load balancer's own name.

    They are left empty if the distribution has no domain name of its own.
    """
    own = str(balancer(p).found["DNSName"]).lower()
    listed = [one["DomainName"] for one in distribution(p).found["Origins"]["Items"]]
    is_asked = bool(_own_names(p))
    return {name: records(p, name) if is_asked else [] for name in listed if name.lower() != own}


def records(p: Patient, name: str) -> list[Doc]:
    """Return the DNS records of a name (ListHostedZones, ListResourceRecordSets).

    Raises:
        Unseen: No public zone of this account contains the name.

    """
    route53 = p.clients.client("route53")
    zones = [one for one in route53.list_hosted_zones()["HostedZones"] if not one["Config"]["PrivateZone"]]
    over = [one for one in zones if _dotted(name).endswith("." + one["Name"]) or _dotted(name) == one["Name"]]
    if not over:
        raise Unseen(f"the zone of {name} is not in this account: `dig {name}` shows where it leads")
    nearest = max(over, key=lambda one: len(one["Name"]))
    # One page is enough: records are sorted by name, and the answer begins with this one.
    told = route53.page("list_resource_record_sets", HostedZoneId=nearest["Id"], StartRecordName=name)
    return [one for one in told["ResourceRecordSets"] if one["Name"] == _dotted(name)]


def _dotted(name: str) -> str:
    """Return a name as Route 53 writes it: in lower case, with a dot at the end."""
    return name.lower().rstrip(".") + "."


def certificates(p: Patient) -> list[Doc]:
    """Return the certificate that viewers get, then those of the load balancer (DescribeCertificate)."""
    shown = distribution(p).found["ViewerCertificate"].get("ACMCertificateArn")
    held = [
        one["CertificateArn"]
        for listener in (listeners(p) if balancer(p).doc else [])
        for one in listener.get("Certificates", [])
    ]
    found = [_certificate(p, shown, GLOBAL_REGION)] if shown else []
    return found + [_certificate(p, arn, p.region) for arn in dict.fromkeys(held)]


def _certificate(p: Patient, arn: str, region: str) -> Doc:
    """Return one certificate."""
    acm = p.clients.client("acm", region)
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])
