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
from provisioner.resources.tagging import GLOBAL_REGION
from provisioner.settings import Settings

_MINUTE = 60


@dataclass(frozen=True)
class ServingCertificate:
    """The ARN of a certificate, and the resource that waits for it to be issued, if the stack requests it."""

    arn: Any
    issued: ResourceHandle | None = None

    @property
    def after(self) -> list[Edge]:
        """The edge that waits until the certificate is issued; [] if it is given."""
        return [self.issued.ready("only a certificate that is issued can be shown")] if self.issued else []


@dataclass(frozen=True)
class Certificates:
    """The certificates of CloudFront and of the load balancer."""

    edge: ServingCertificate
    balancer: ServingCertificate


def certificates(step: Step, settings: Settings) -> Certificates | None:
    """Declare the certificates of the domain, or return None if no domain is set.

    A certificate whose ARN is in the settings is used; the others are requested, validated and waited for.

    Raises:
        UsageError: If the load balancer's given certificate is in another region than the stack.

    """
    names = list(settings.domain.names)
    if not names:
        return None
    given = settings.domain.balancer_certificate_arn
    if given and given.split(":")[3] != step.stack.region:
        raise UsageError(
            f"{given} is not in {step.stack.region}, where the load balancer takes its certificate from.",
            "Name one of that region in `domain.balancer_certificate_arn`, or leave it out.",
        )
    asked: dict[str, ResourceHandle] = {}
    all_names = {"edge": names, "alb": [*names, settings.domain.origin]}
    if not given:
        asked["alb"] = _requested(step, "alb", all_names["alb"], "")
    if not settings.domain.certificate_arn:
        asked["edge"] = _requested(step, "edge", all_names["edge"], GLOBAL_REGION)
    proofs = _proven(step, settings, {one: (handle, all_names[one]) for one, handle in asked.items()})
    issued: dict[str, ResourceHandle] = {}
    for one, certificate in asked.items():
        needed = [proofs[name] for name in all_names[one] if name in proofs]
        issued[one] = _issued(step, settings, one, certificate, needed or list(issued.values()))
    return Certificates(
        ServingCertificate(asked["edge"].id, issued["edge"])
        if "edge" in asked
        else ServingCertificate(settings.domain.certificate_arn),
        ServingCertificate(asked["alb"].id, issued["alb"]) if "alb" in asked else ServingCertificate(given),
    )


def _requested(step: Step, what: str, names: list[str], region: str) -> ResourceHandle:
    others: dict[str, Any] = {"SubjectAlternativeNames": names[1:]} if names[1:] else {}
    return step(
        Certificate,
        f"certificate-{what}",
        noun=f"certificate-{what}",
        region=region,
        DomainName=names[0],
        ValidationMethod="DNS",
        **others,
    )


def _proven(
    step: Step, settings: Settings, asked: dict[str, tuple[ResourceHandle, list[str]]]
) -> dict[str, ResourceHandle]:
    """Declare the record that validates each name, if the stack manages the hosted zone.

    All certificates of an account need the same record for a name, so it is declared once.
    """
    proofs: dict[str, ResourceHandle] = {}
    for certificate, names in asked.values():
        for at, name in enumerate(names):
            if settings.domain.hosted_zone_id and name not in proofs:
                value = certificate[f"Proofs.{at}.Value"]
                proofs[name] = step(
                    DnsName,
                    f"proof-{name}",
                    HostedZoneId=settings.domain.hosted_zone_id,
                    Name=certificate[f"Proofs.{at}.Name"],
                    Records=[{"Type": "CNAME", "ResourceRecords": [{"Value": value}]}],
                    Mark=name_owner_hash(step),
                )
    return proofs


def _issued(
    step: Step, settings: Settings, what: str, certificate: ResourceHandle, before: list[ResourceHandle]
) -> ResourceHandle:
    """Declare the wait until a certificate is issued.

    Without a hosted zone somebody has to create the records by hand; the settings say how long to wait.
    """
    region = GLOBAL_REGION if what == "edge" else ""
    if settings.domain.hosted_zone_id:
        return step(Issuance, f"issued-{what}", region=region, CertificateArn=certificate.id, depends_on=before)
    # The load balancer's certificate has all the names, so one request for the records is enough.
    first = [one.ready("the records for the other certificate are the same") for one in before]
    return step(
        IssuanceByHand,
        f"issued-{what}",
        region=region,
        timeout=settings.domain.wait * _MINUTE,
        CertificateArn=certificate.id,
        Besides=[interpolate("{} CNAME {}", settings.domain.origin, Ref("alb", "DNSName"))],
        depends_on=first,
    )


def name_owner_hash(step: Step) -> str:
    """Return the text that marks a DNS name as this stack's, from its suffix and region."""
    return f"{MANAGER} {step.stack.suffix} {step.stack.region}"
