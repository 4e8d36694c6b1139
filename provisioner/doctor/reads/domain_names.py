"""Reads of DNS records from Route 53, and of certificates from ACM."""

from __future__ import annotations

from provisioner.doctor.check import JsonObject, NotChecked
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.reads.balancer import read_balancer, read_listeners
from provisioner.doctor.reads.edge import read_distribution
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.service_clients import ACM, Route53

# The calls of this module by service; `policy` grants them.
CALLS = {"route53": ("ListHostedZones", "ListResourceRecordSets"), "acm": ("DescribeCertificate",)}


def read_alias_records(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the DNS records of each domain name of the distribution."""
    return {name: read_dns_records(context, name) for name in _alias_names(context)}


def _alias_names(context: DoctorContext) -> list[str]:
    """Return the domain names of the distribution, without its name at CloudFront."""
    return list((read_distribution(context).found.get("Aliases") or {}).get("Items") or [])


def read_origin_records(context: DoctorContext) -> dict[str, list[JsonObject]]:
    """Return the DNS records of each origin's name that is not the load balancer's own name.

    They are left empty if the distribution has no domain name of its own.
    """
    balancer_name = str(read_balancer(context).found["DNSName"]).lower()
    origin_names = [origin["DomainName"] for origin in read_distribution(context).found["Origins"]["Items"]]
    has_alias = bool(_alias_names(context))
    return {
        name: read_dns_records(context, name) if has_alias else []
        for name in origin_names
        if name.lower() != balancer_name
    }


def read_dns_records(context: DoctorContext, name: str) -> list[JsonObject]:
    """Return the DNS records of a name (ListHostedZones, ListResourceRecordSets).

    Raises:
        NotChecked: No public zone of this account contains the name.

    """
    route53 = context.clients.client(Route53)
    record_name = _fully_qualified(name)
    zones = [zone for zone in route53.list_hosted_zones()["HostedZones"] if not zone["Config"]["PrivateZone"]]
    containing = [zone for zone in zones if f".{record_name}".endswith(f".{zone['Name']}")]
    if not containing:
        raise NotChecked(f"the zone of {name} is not in this account: `dig {name}` shows where it leads")
    nearest = max(containing, key=lambda zone: len(zone["Name"]))
    # One page is enough: records are sorted by name, and the answer begins with this one.
    page = route53.one_page.list_resource_record_sets(HostedZoneId=nearest["Id"], StartRecordName=name)
    return [record for record in page["ResourceRecordSets"] if record["Name"] == record_name]


def _fully_qualified(name: str) -> str:
    """Return a name as Route 53 writes it: in lower case, with a dot at the end."""
    return name.lower().rstrip(".") + "."


def read_certificates(context: DoctorContext) -> list[JsonObject]:
    """Return the certificate that viewers get, then those of the load balancer (DescribeCertificate)."""
    edge_arn = read_distribution(context).found["ViewerCertificate"].get("ACMCertificateArn")
    listeners = read_listeners(context) if read_balancer(context).actual else []
    balancer_arns = [
        certificate["CertificateArn"] for listener in listeners for certificate in listener.get("Certificates", [])
    ]
    certificates = [_read_certificate(context, edge_arn, GLOBAL_REGION)] if edge_arn else []
    return certificates + [_read_certificate(context, arn, context.region) for arn in dict.fromkeys(balancer_arns)]


def _read_certificate(context: DoctorContext, arn: str, region: str) -> JsonObject:
    """Return one certificate."""
    acm = context.clients.client(ACM, region)
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])
