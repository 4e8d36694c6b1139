"""The DNS names of a custom domain."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import Interpolation, interpolate
from provisioner.resources.route53 import DnsName
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.certificates import dns_mark

# The hosted zone id of every CloudFront distribution (Route 53 API reference, AliasTarget).
_CLOUDFRONT_ZONE_ID = "Z2FDTNDATAQYW2"


def declare_origin_name(step: Step, settings: Settings, balancer: Balancer) -> ResourceHandle | None:
    """Declare the name by which CloudFront reaches the load balancer, and which is in its certificate.

    None if there is no domain, or if the stack does not manage its hosted zone.
    """
    if not settings.domain.names or not settings.domain.hosted_zone_id:
        return None
    target = {"HostedZoneId": balancer.alb["CanonicalHostedZoneId"], "DNSName": balancer.alb["DNSName"]}
    return _declare_alias(step, settings, settings.domain.origin, target, ("A",))


def declare_names(step: Step, settings: Settings, distribution: ResourceHandle) -> None:
    """Declare IPv4 and IPv6 aliases from each name of the domain to CloudFront."""
    target = {"HostedZoneId": _CLOUDFRONT_ZONE_ID, "DNSName": distribution["DomainName"]}
    for name in settings.domain.names if settings.domain.hosted_zone_id else ():
        _declare_alias(step, settings, name, target, ("A", "AAAA"))


def _declare_alias(
    step: Step, settings: Settings, name: str, target: dict[str, Any], types: tuple[str, ...]
) -> ResourceHandle:
    """Declare alias records of these types from a name to an AWS resource."""
    alias = {**target, "EvaluateTargetHealth": False}
    return step(
        DnsName,
        f"name-{name}",
        HostedZoneId=settings.domain.hosted_zone_id,
        Name=name,
        Records=[{"Type": record_type, "AliasTarget": alias} for record_type in types],
        Mark=dns_mark(step),
    )


def domain_outputs(
    settings: Settings, balancer: Balancer, distribution: ResourceHandle
) -> dict[str, Interpolation | str]:
    """Return the outputs of a domain: its URL, and without a hosted zone the records to create by hand."""
    if not settings.domain.names:
        return {}
    outputs: dict[str, Interpolation | str] = {"domain_url": f"https://{settings.domain.names[0]}"}
    if not settings.domain.hosted_zone_id:
        for number, name in enumerate(settings.domain.names, start=1):
            outputs[f"dns_record_{number}"] = interpolate("{} CNAME {}", name, distribution["DomainName"])
        outputs["dns_record_origin"] = interpolate("{} CNAME {}", settings.domain.origin, balancer.alb["DNSName"])
    return outputs
