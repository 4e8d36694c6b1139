"""Checks of CloudFront: its distribution, its origin, and the key that the load balancer requires of it."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.doctor.check import Finding, JsonObject, NotApplicable, ReadResult
from provisioner.doctor.domain_names import record_targets
from provisioner.doctor.reads.edge import OriginPath
from provisioner.resources.origin_key import HEADER, requires_key

_NOT_REACHABLE = "Nobody reaches the stack by CloudFront."


def distribution_is_deployed(result: ReadResult) -> Finding | None:
    """Check that the distribution exists, is enabled and is deployed."""
    distribution = result.actual
    if distribution is None:
        return result.missing_finding("distribution-absent", _NOT_REACHABLE)
    if not distribution["Enabled"]:
        problem = f"The {result.description} ({distribution['Id']}) is disabled."
        return Finding("distribution-disabled", problem, _NOT_REACHABLE, "apply")
    if distribution["Status"] != "Deployed":
        status = f"{distribution['Status']}: its last change is still being deployed"
        problem = f"The {result.description} ({distribution['Id']}) is {status}."
        consequence = "Until then some edge locations answer as before, or not at all."
        command = f"aws cloudfront wait distribution-deployed --id {distribution['Id']}"
        return Finding("distribution-on-its-way", problem, consequence, command)
    return None


def distribution_admits_viewers(distribution: JsonObject) -> Finding | None:
    """Check that CloudFront accepts every viewer: no certificate, signature or country is required."""
    requirements = list(_viewer_requirements(distribution))
    if not requirements:
        return None
    problem = f"CloudFront admits only viewers {' and '.join(requirements)}: somebody has set it so."
    return Finding("viewers-shut-out", problem, "Everybody else is turned away.", "apply")


def _viewer_requirements(distribution: JsonObject) -> Iterator[str]:
    """Yield what a viewer must have or be, in words (CloudFront API reference, DistributionConfig)."""
    empty: JsonObject = {}
    if (distribution.get("ViewerMtlsConfig") or empty).get("Mode") == "required":
        yield "with a client certificate (ViewerMtlsConfig)"
    geo_restriction = (distribution.get("Restrictions") or empty).get("GeoRestriction") or empty
    if geo_restriction.get("RestrictionType", "none") != "none":
        countries = " ".join(geo_restriction.get("Items") or [])
        yield f"of some countries (GeoRestriction: {geo_restriction['RestrictionType']} {countries})"
    behaviour = distribution["DefaultCacheBehavior"]
    for key in ("TrustedKeyGroups", "TrustedSigners"):
        if (behaviour.get(key) or empty).get("Enabled"):
            yield f"with a signed address ({key})"
    if distribution.get("ConnectionMode") == "tenant-only":
        yield "of a distribution tenant (ConnectionMode)"


def origin_is_balancer(
    origin_path: OriginPath, balancer: JsonObject, listeners: list[JsonObject], origins: dict[str, list[JsonObject]]
) -> Finding | None:
    """Check that CloudFront's origin is the load balancer, at a port on which it listens.

    Args:
        origin_path: How CloudFront reaches its origin.
        balancer: The load balancer.
        listeners: The listeners of the load balancer.
        origins: The DNS records of each origin's name that is not the load balancer's own name.

    """
    balancer_name = balancer["DNSName"].lower()
    other_origins = [name for name, records in origins.items() if balancer_name not in record_targets(records)]
    # Through a VPC origin the ARN decides, not DNS.
    if origin_path.vpc_origin_id and origin_path.target_arn != balancer["LoadBalancerArn"]:
        other_origins = [f"{origin_path.target_arn} through {origin_path.vpc_origin_id}"]
    if other_origins:
        problem = f"CloudFront's origin is {', '.join(other_origins)}; the load balancer is {balancer['DNSName']}."
        return Finding("origin-astray", problem, "Every request is answered with 502 or by somebody else.", "apply")
    if origin_path.vpc_origin_id and origin_path.status != "Deployed":
        problem = f"CloudFront's way into the VPC, {origin_path.vpc_origin_id}, is {origin_path.status}."
        consequence = "Every request is answered with 502 until it is deployed."
        return Finding("vpc-origin-on-its-way", problem, consequence, "apply")
    ports = {listener["Port"] for listener in listeners}
    if origin_path.port not in ports:
        listened_ports = ", ".join(map(str, sorted(ports))) or "no port"
        problem = f"CloudFront calls the load balancer on port {origin_path.port}; it listens on {listened_ports}."
        return Finding("origin-port-unheard", problem, "Every request is answered with 504.", "apply")
    return None


def origin_key_matches(distribution: JsonObject, rules: list[JsonObject]) -> Finding | None:
    """Check that the key that CloudFront sends is one that the rules require; both are known by hash only.

    Raises:
        NotApplicable: CloudFront sends no key, and no rule requires one.

    """
    sent_keys = set(_sent_keys(distribution))
    accepted_keys = [set(_accepted_keys(rule)) for rule in rules if any(map(requires_key, rule["Conditions"]))]
    if not accepted_keys and not sent_keys:
        raise NotApplicable("CloudFront sends no key and the load balancer requires none")
    consequence = "The load balancer answers every request of CloudFront's with 403."
    if accepted_keys and not sent_keys:
        problem = f"The load balancer requires the header {HEADER}; CloudFront does not send it."
        return Finding("origin-key-not-sent", problem, consequence, "apply")
    if any(not sent_keys & keys for keys in accepted_keys):
        problem = f"The load balancer does not accept CloudFront's value of {HEADER} (values are not shown)."
        return Finding("origin-key-unknown", problem, consequence, "apply")
    return None


def _sent_keys(distribution: JsonObject) -> Iterator[str]:
    """Yield the hashes of the keys that CloudFront sends."""
    for origin in distribution["Origins"]["Items"]:
        for header in (origin.get("CustomHeaders") or {}).get("Items") or []:
            if header["HeaderName"] == HEADER:
                yield header["HeaderValue"]


def _accepted_keys(rule: JsonObject) -> Iterator[str]:
    """Yield the hashes of the keys that a rule accepts."""
    for condition in rule["Conditions"]:
        if requires_key(condition):
            yield from condition["HttpHeaderConfig"]["Values"]
