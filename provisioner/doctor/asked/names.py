"""Names in DNS and the certificates for them, as Route 53 and ACM tell them."""

from __future__ import annotations

from provisioner.doctor.asked.balancer import balancer, listeners
from provisioner.doctor.asked.edge import distribution
from provisioner.doctor.finding import Doc, Unseen
from provisioner.doctor.patient import Patient
from provisioner.kinds.tagging import GLOBAL_REGION

# What is asked here, by service: `policy` grants it.
CALLS = {
    "route53": ("ListHostedZones", "ListResourceRecordSets"),
    "acm": ("DescribeCertificate",),
}


def aliases(p: Patient) -> dict[str, list[Doc]]:
    """Where each of the distribution's own names leads."""
    return {name: records(p, name) for name in _own_names(p)}


def _own_names(p: Patient) -> list[str]:
    return list((distribution(p).found.get("Aliases") or {}).get("Items") or [])


def origins(p: Patient) -> dict[str, list[Doc]]:
    """Where each origin's name leads that is not the balancer's; nowhere where the stack has no domain."""
    own = str(balancer(p).found["DNSName"]).lower()
    listed = [one["DomainName"] for one in distribution(p).found["Origins"]["Items"]]
    is_asked = bool(_own_names(p))
    return {name: records(p, name) if is_asked else [] for name in listed if name.lower() != own}


def records(p: Patient, name: str) -> list[Doc]:
    """ListHostedZones, ListResourceRecordSets: the records of a name; Unseen where its zone is elsewhere."""
    route53 = p.clients.client("route53")
    zones = [one for one in route53.list_hosted_zones()["HostedZones"] if not one["Config"]["PrivateZone"]]
    over = [one for one in zones if _dotted(name).endswith("." + one["Name"]) or _dotted(name) == one["Name"]]
    if not over:
        raise Unseen(f"the zone of {name} is not in this account: `dig {name}` shows where it leads")
    nearest = max(over, key=lambda one: len(one["Name"]))
    # One page: records come in the order of their names, this one's first.
    told = route53.page("list_resource_record_sets", HostedZoneId=nearest["Id"], StartRecordName=name)
    return [one for one in told["ResourceRecordSets"] if one["Name"] == _dotted(name)]


def _dotted(name: str) -> str:
    return name.lower().rstrip(".") + "."


def certificates(p: Patient) -> list[Doc]:
    """DescribeCertificate: the one that viewers see, and the balancer's own."""
    shown = distribution(p).found["ViewerCertificate"].get("ACMCertificateArn")
    held = [
        one["CertificateArn"]
        for listener in (listeners(p) if balancer(p).doc else [])
        for one in listener.get("Certificates", [])
    ]
    found = [_certificate(p, shown, GLOBAL_REGION)] if shown else []
    return found + [_certificate(p, arn, p.region) for arn in dict.fromkeys(held)]


def _certificate(p: Patient, arn: str, region: str) -> Doc:
    acm = p.clients.client("acm", region)
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])
