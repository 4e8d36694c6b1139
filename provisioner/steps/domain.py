"""The DNS names of a custom domain."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.refs import Text, text
from provisioner.kinds.route53 import DnsName
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.certificates import mark

# The hosted zone id of every CloudFront distribution (Route 53 API reference, AliasTarget).
_OF_CLOUDFRONT = "Z2FDTNDATAQYW2"


def balancer_name(up: Piece, s: Settings, front: Balancer) -> Handle | None:
    """Declare the name by which CloudFront reaches the load balancer, and which is in its certificate.

    None if there is no domain, or if the stack does not manage its hosted zone.
    """
    if not s.domain.names or not s.domain.hosted_zone_id:
        return None
    target = {"HostedZoneId": front.alb["CanonicalHostedZoneId"], "DNSName": front.alb["DNSName"]}
    return _leading(up, s, s.domain.origin, target, ("A",))


def names(up: Piece, s: Settings, distribution: Handle) -> None:
    """Declare IPv4 and IPv6 aliases from each name of the domain to CloudFront."""
    target = {"HostedZoneId": _OF_CLOUDFRONT, "DNSName": distribution["DomainName"]}
    for name in s.domain.names if s.domain.hosted_zone_id else ():
        _leading(up, s, name, target, ("A", "AAAA"))


def _leading(up: Piece, s: Settings, name: str, target: dict[str, Any], types: tuple[str, ...]) -> Handle:
    alias = {**target, "EvaluateTargetHealth": False}
    return up(
        DnsName,
        f"name-{name}",
        HostedZoneId=s.domain.hosted_zone_id,
        Name=name,
        Records=[{"Type": one, "AliasTarget": alias} for one in types],
        Mark=mark(up),
    )


def addresses(s: Settings, front: Balancer, distribution: Handle) -> dict[str, Text | str]:
    """Return the outputs of a domain: its URL, and without a hosted zone the records to create by hand."""
    if not s.domain.names:
        return {}
    outputs: dict[str, Text | str] = {"domain_url": f"https://{s.domain.names[0]}"}
    if not s.domain.hosted_zone_id:
        for at, name in enumerate(s.domain.names, start=1):
            outputs[f"dns_record_{at}"] = text("{} CNAME {}", name, distribution["DomainName"])
        outputs["dns_record_origin"] = text("{} CNAME {}", s.domain.origin, front.alb["DNSName"])
    return outputs
