"""Reads of DNS records from Route 53, and of certificates from ACM."""

from __future__ import annotations

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import JsonObject, NotChecked
from provisioner.doctor.reads.balancer import balancer, listeners
from provisioner.doctor.reads.edge import distribution
from provisioner.resources.tagging import GLOBAL_REGION

# The calls of this module by service; `policy` grants them.
CALLS = {
    "route53": ("ListHostedZones", "ListResourceRecordSets"),
    "acm": ("DescribeCertificate",),
}


def aliases(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the DNS records of each domain name of the distribution."""
    return {name: records(context, name) for name in _own_names(context)}


def _own_names(context: DoctorContext) -> list[str]:
    """Return the domain names of the distribution, without its name at CloudFront."""
    return list((distribution(context).found.get("Aliases") or {}).get("Items") or [])


def origins(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the DNS records of each origin's name that is not the load balancer's own name.

    They are left empty if the distribution has no domain name of its own.
    """
    own = str(balancer(context).found["DNSName"]).lower()
    listed = [one["DomainName"] for one in distribution(context).found["Origins"]["Items"]]
    is_asked = bool(_own_names(context))
    return {name: records(context, name) if is_asked else [] for name in listed if name.lower() != own}


def records(context: DoctorContext, name: str) -> list[JsonObject]:
    """Return the DNS records of a name (ListHostedZones, ListResourceRecordSets).

    Raises:
        Unseen: No public zone of this account contains the name.

    """
    route53 = context.clients.client("route53")
    zones = [one for one in route53.list_hosted_zones()["HostedZones"] if not one["Config"]["PrivateZone"]]
    over = [one for one in zones if _dotted(name).endswith("." + one["Name"]) or _dotted(name) == one["Name"]]
    if not over:
        raise NotChecked(f"the zone of {name} is not in this account: `dig {name}` shows where it leads")
    nearest = max(over, key=lambda one: len(one["Name"]))
    # One page is enough: records are sorted by name, and the answer begins with this one.
    told = route53.page("list_resource_record_sets", HostedZoneId=nearest["Id"], StartRecordName=name)
    return [one for one in told["ResourceRecordSets"] if one["Name"] == _dotted(name)]


def _dotted(name: str) -> str:
    """Return a name as Route 53 writes it: in lower case, with a dot at the end."""
    return name.lower().rstrip(".") + "."


def certificates(context: DoctorContext) -> list[JsonObject]:
    """Return the certificate that viewers get, then those of the load balancer (DescribeCertificate)."""
    shown = distribution(context).found["ViewerCertificate"].get("ACMCertificateArn")
    held = [
        one["CertificateArn"]
        for listener in (listeners(context) if balancer(context).actual else [])
        for one in listener.get("Certificates", [])
    ]
    found = [_certificate(context, shown, GLOBAL_REGION)] if shown else []
    return found + [_certificate(context, arn, context.region) for arn in dict.fromkeys(held)]


def _certificate(context: DoctorContext, arn: str, region: str) -> JsonObject:
    """Return one certificate."""
    acm = context.clients.client("acm", region)
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])
