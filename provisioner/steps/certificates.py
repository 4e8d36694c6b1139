"""The ACM certificates of a custom domain, and the DNS records that validate its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Edge, Handle, Piece
from provisioner.engine.refs import Ref, text
from provisioner.errors import UsageError
from provisioner.kinds.acm import Certificate, Issuance, IssuanceByHand
from provisioner.kinds.route53 import DnsName
from provisioner.kinds.tagging import GLOBAL_REGION
from provisioner.names import MANAGER
from provisioner.settings import Settings

_MINUTE = 60


@dataclass(frozen=True)
class Shown:
    """The ARN of a certificate, and the resource that waits for it to be issued, if the stack requests it."""

    arn: Any
    issued: Handle | None = None

    @property
    def after(self) -> list[Edge]:
        """The edge that waits until the certificate is issued; [] if it is given."""
        return [self.issued.ready("only a certificate that is issued can be shown")] if self.issued else []


@dataclass(frozen=True)
class Certificates:
    """The certificates of CloudFront and of the load balancer."""

    edge: Shown
    balancer: Shown


def certificates(up: Piece, s: Settings) -> Certificates | None:
    """Declare the certificates of the domain, or return None if no domain is set.

    A certificate whose ARN is in the settings is used; the others are requested, validated and waited for.

    Raises:
        UsageError: If the load balancer's given certificate is in another region than the stack.

    """
    names = list(s.domain.names)
    if not names:
        return None
    given = s.domain.balancer_certificate_arn
    if given and given.split(":")[3] != up.stack.region:
        raise UsageError(
            f"{given} is not in {up.stack.region}, where the load balancer takes its certificate from.",
            "Name one of that region in `domain.balancer_certificate_arn`, or leave it out.",
        )
    asked: dict[str, Handle] = {}
    all_names = {"edge": names, "alb": [*names, s.domain.origin]}
    if not given:
        asked["alb"] = _requested(up, "alb", all_names["alb"], "")
    if not s.domain.certificate_arn:
        asked["edge"] = _requested(up, "edge", all_names["edge"], GLOBAL_REGION)
    proofs = _proven(up, s, {one: (handle, all_names[one]) for one, handle in asked.items()})
    issued: dict[str, Handle] = {}
    for one, certificate in asked.items():
        needed = [proofs[name] for name in all_names[one] if name in proofs]
        issued[one] = _issued(up, s, one, certificate, needed or list(issued.values()))
    return Certificates(
        Shown(asked["edge"].id, issued["edge"]) if "edge" in asked else Shown(s.domain.certificate_arn),
        Shown(asked["alb"].id, issued["alb"]) if "alb" in asked else Shown(given),
    )


def _requested(up: Piece, what: str, names: list[str], region: str) -> Handle:
    others: dict[str, Any] = {"SubjectAlternativeNames": names[1:]} if names[1:] else {}
    return up(
        Certificate,
        f"certificate-{what}",
        noun=f"certificate-{what}",
        region=region,
        DomainName=names[0],
        ValidationMethod="DNS",
        **others,
    )


def _proven(up: Piece, s: Settings, asked: dict[str, tuple[Handle, list[str]]]) -> dict[str, Handle]:
    """Declare the record that validates each name, if the stack manages the hosted zone.

    All certificates of an account need the same record for a name, so it is declared once.
    """
    proofs: dict[str, Handle] = {}
    for certificate, names in asked.values():
        for at, name in enumerate(names):
            if s.domain.hosted_zone_id and name not in proofs:
                value = certificate[f"Proofs.{at}.Value"]
                proofs[name] = up(
                    DnsName,
                    f"proof-{name}",
                    HostedZoneId=s.domain.hosted_zone_id,
                    Name=certificate[f"Proofs.{at}.Name"],
                    Records=[{"Type": "CNAME", "ResourceRecords": [{"Value": value}]}],
                    Mark=mark(up),
                )
    return proofs


def _issued(up: Piece, s: Settings, what: str, certificate: Handle, before: list[Handle]) -> Handle:
    """Declare the wait until a certificate is issued.

    Without a hosted zone somebody has to create the records by hand; the settings say how long to wait.
    """
    region = GLOBAL_REGION if what == "edge" else ""
    if s.domain.hosted_zone_id:
        return up(Issuance, f"issued-{what}", region=region, CertificateArn=certificate.id, after=before)
    # The load balancer's certificate has all the names, so one request for the records is enough.
    first = [one.ready("the records for the other certificate are the same") for one in before]
    return up(
        IssuanceByHand,
        f"issued-{what}",
        region=region,
        patience=s.domain.wait * _MINUTE,
        CertificateArn=certificate.id,
        Besides=[text("{} CNAME {}", s.domain.origin, Ref("alb", "DNSName"))],
        after=first,
    )


def mark(up: Piece) -> str:
    """Return the text that marks a DNS name as this stack's, from its suffix and region."""
    return f"{MANAGER} {up.stack.suffix} {up.stack.region}"
