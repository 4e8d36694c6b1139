"""The names of a domain of one's own, and where they lead."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.refs import Text, text
from provisioner.kinds.route53 import DnsName
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.certificates import mark

# The zone of every distribution's name (Route 53 API reference, AliasTarget).
_OF_CLOUDFRONT = "Z2FDTNDATAQYW2"


def balancer_name(up: Piece, s: Settings, front: Balancer) -> Handle | None:
    """The name under which CloudFront calls the balancer, and which its certificate covers."""
    if not s.domain.names or not s.domain.hosted_zone_id:
        return None
    target = {"HostedZoneId": front.alb["CanonicalHostedZoneId"], "DNSName": front.alb["DNSName"]}
    return _leading(up, s, s.domain.origin, target, ("A",))


def names(up: Piece, s: Settings, distribution: Handle) -> None:
    """Every name of the domain leads to CloudFront, by IPv4 and IPv6."""
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
    """The outputs of a domain: its URL, and the records to make where there is no zone to make them in."""
    if not s.domain.names:
        return {}
    outputs: dict[str, Text | str] = {"domain_url": f"https://{s.domain.names[0]}"}
    if not s.domain.hosted_zone_id:
        for at, name in enumerate(s.domain.names, start=1):
            outputs[f"dns_record_{at}"] = text("{} CNAME {}", name, distribution["DomainName"])
        outputs["dns_record_origin"] = text("{} CNAME {}", s.domain.origin, front.alb["DNSName"])
    return outputs
