"""The ACM certificates of a custom domain, and the DNS records that validate its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import Edge, ResourceHandle, Step
from provisioner.engine.resource_graph.references import Ref, interpolate
from provisioner.errors import UsageError
from provisioner.names import MANAGER
from provisioner.resources.acm import Certificate, Issuance, IssuanceByHand
from provisioner.resources.route53 import DnsName
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.settings import Settings

_MINUTE = 60


@dataclass(frozen=True)
class ServingCertificate:
    """The ARN of a certificate, and the resource that waits for it to be issued, if the stack requests it."""

    arn: Any
    issuance: ResourceHandle | None = None

    @property
    def issuance_edges(self) -> list[Edge]:
        """The edge that waits until the certificate is issued; [] if it is given."""
        return [self.issuance.ready("only an issued certificate can be presented")] if self.issuance else []


@dataclass(frozen=True)
class Certificates:
    """The certificates of CloudFront and of the load balancer."""

    edge: ServingCertificate
    balancer: ServingCertificate


def declare_certificates(step: Step, settings: Settings) -> Certificates | None:
    """Declare the certificates of the domain, or return None if no domain is set.

    A certificate whose ARN is in the settings is used; the others are requested, validated and waited for.

    Raises:
        UsageError: If the load balancer's given certificate is in another region than the stack.

    """
    names = list(settings.domain.names)
    if not names:
        return None
    given = settings.domain.balancer_certificate_arn
    _check_region(given, step.stack.region)
    requested: dict[str, ResourceHandle] = {}
    all_names = {"edge": names, "alb": [*names, settings.domain.origin]}
    if not given:
        requested["alb"] = _declare_certificate(step, "alb", all_names["alb"], "")
    if not settings.domain.certificate_arn:
        requested["edge"] = _declare_certificate(step, "edge", all_names["edge"], GLOBAL_REGION)
    names_by_certificate = {place: (certificate, all_names[place]) for place, certificate in requested.items()}
    records = _declare_validation_records(step, settings, names_by_certificate)
    serving = {"edge": ServingCertificate(settings.domain.certificate_arn), "alb": ServingCertificate(given)}
    issuances: list[ResourceHandle] = []
    for place, certificate in requested.items():
        own_records = [records[name] for name in all_names[place] if name in records]
        issuance = _declare_issuance(step, settings, place, certificate, own_records or list(issuances))
        issuances.append(issuance)
        serving[place] = ServingCertificate(certificate.id, issuance)
    return Certificates(serving["edge"], serving["alb"])


def _check_region(arn: str | None, region: str) -> None:
    """Raise UsageError if the load balancer's given certificate is in another region than the stack."""
    if arn and arn.split(":")[3] != region:
        raise UsageError(
            f"{arn} is not in {region}, where the load balancer takes its certificate from.",
            "Name one of that region in `domain.balancer_certificate_arn`, or leave it out.",
        )


def _declare_certificate(step: Step, place: str, names: list[str], region: str) -> ResourceHandle:
    """Declare a certificate for these names; the first is its common name."""
    alternative_names: dict[str, Any] = {"SubjectAlternativeNames": names[1:]} if names[1:] else {}
    return step(
        Certificate,
        f"certificate-{place}",
        noun=f"certificate-{place}",
        region=region,
        DomainName=names[0],
        ValidationMethod="DNS",
        **alternative_names,
    )


def _declare_validation_records(
    step: Step, settings: Settings, requested: dict[str, tuple[ResourceHandle, list[str]]]
) -> dict[str, ResourceHandle]:
    """Declare the record that validates each name, if the stack manages the hosted zone.

    All certificates of an account need the same record for a name, so it is declared once.
    """
    records: dict[str, ResourceHandle] = {}
    for certificate, names in requested.values():
        for index, name in enumerate(names):
            if settings.domain.hosted_zone_id and name not in records:
                value = certificate[f"Proofs.{index}.Value"]
                records[name] = step(
                    DnsName,
                    f"proof-{name}",
                    HostedZoneId=settings.domain.hosted_zone_id,
                    Name=certificate[f"Proofs.{index}.Name"],
                    Records=[{"Type": "CNAME", "ResourceRecords": [{"Value": value}]}],
                    Mark=dns_mark(step),
                )
    return records


def _declare_issuance(
    step: Step, settings: Settings, place: str, certificate: ResourceHandle, after: list[ResourceHandle]
) -> ResourceHandle:
    """Declare the wait until a certificate is issued; it begins once the resources in `after` are ready.

    Without a hosted zone somebody has to create the records by hand; the settings say how long to wait.
    """
    region = GLOBAL_REGION if place == "edge" else ""
    if settings.domain.hosted_zone_id:
        return step(Issuance, f"issued-{place}", region=region, CertificateArn=certificate.id, depends_on=after)
    # The load balancer's certificate has all the names, so one request for the records is enough.
    ready_edges = [resource.ready("the records for the other certificate are the same") for resource in after]
    return step(
        IssuanceByHand,
        f"issued-{place}",
        region=region,
        timeout=settings.domain.wait * _MINUTE,
        CertificateArn=certificate.id,
        Besides=[interpolate("{} CNAME {}", settings.domain.origin, Ref("alb", "DNSName"))],
        depends_on=ready_edges,
    )


def dns_mark(step: Step) -> str:
    """Return the text that marks a DNS name as this stack's, from its suffix and region."""
    return f"{MANAGER} {step.stack.suffix} {step.stack.region}"
