"""Checks of CloudFront: its distribution, its origin, and the key that the load balancer requires of it."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.doctor.finding import Finding, JsonObject, NotApplicable, ReadResult
from provisioner.doctor.names import targets
from provisioner.doctor.reads.edge import OriginPath
from provisioner.resources.origin_key import HEADER, requires_key

_NOBODY = "Nobody reaches the stack by CloudFront."


def distribution_is_deployed(result: ReadResult) -> Finding | None:
    """Check that the distribution exists, is enabled and is deployed."""
    doc = result.actual
    if doc is None:
        return result.missing_finding("distribution-absent", _NOBODY)
    if not doc["Enabled"]:
        return Finding(
            "distribution-disabled", f"The {result.description} ({doc['Id']}) is disabled.", _NOBODY, "apply"
        )
    if doc["Status"] != "Deployed":
        what = f"The {result.description} ({doc['Id']}) is {doc['Status']}: its last change is still on its way."
        why = "Until then some places answer as before it, or not at all."
        wait = f"aws cloudfront wait distribution-deployed --id {doc['Id']}"
        return Finding("distribution-on-its-way", what, why, wait)
    return None


def distribution_admits_viewers(distribution: JsonObject) -> Finding | None:
    """Check that CloudFront accepts every viewer: no certificate, signature or country is required."""
    gates = list(_gates(distribution))
    if not gates:
        return None
    what = f"CloudFront takes only viewers {' and '.join(gates)}: somebody has set it so."
    return Finding("viewers-shut-out", what, "Everybody else is turned away.", "apply")


def _gates(distribution: JsonObject) -> Iterator[str]:
    """Yield what a viewer must have or be, in words (CloudFront API reference, DistributionConfig)."""
    none: JsonObject = {}
    if (distribution.get("ViewerMtlsConfig") or none).get("Mode") == "required":
        yield "with a client certificate (ViewerMtlsConfig)"
    geo = (distribution.get("Restrictions") or none).get("GeoRestriction") or none
    if geo.get("RestrictionType", "none") != "none":
        listed = " ".join(geo.get("Items") or [])
        yield f"of some countries (GeoRestriction: {geo['RestrictionType']} {listed})"
    behaviour = distribution["DefaultCacheBehavior"]
    for key in ("TrustedKeyGroups", "TrustedSigners"):
        if (behaviour.get(key) or none).get("Enabled"):
            yield f"with a signed address ({key})"
    if distribution.get("ConnectionMode") == "tenant-only":
        yield "of a distribution tenant (ConnectionMode)"


def origin_is_balancer(
    way: OriginPath, balancer: JsonObject, listeners: list[JsonObject], origins: dict[str, list[JsonObject]]
) -> Finding | None:
    """Check that CloudFront's origin is the load balancer, at a port on which it listens.

    Args:
        way: How CloudFront reaches its origin.
        balancer: The load balancer.
        listeners: The listeners of the load balancer.
        origins: The DNS records of each origin's name that is not the load balancer's own name.

    """
    own = balancer["DNSName"].lower()
    astray = [name for name, records in origins.items() if own not in targets(records)]
    if way.id and way.arn != balancer["LoadBalancerArn"]:
        astray = [f"{way.arn} through {way.id}"]
    if astray:
        what = f"CloudFront asks {', '.join(astray)}; the load balancer is {balancer['DNSName']}."
        return Finding("origin-astray", what, "Every request is answered with 502 or by somebody else.", "apply")
    if way.id and way.status != "Deployed":
        what = f"CloudFront's way into the VPC, {way.id}, is {way.status}."
        return Finding(
            "vpc-origin-on-its-way", what, "Every request is answered with 502 until it is deployed.", "apply"
        )
    ports = {one["Port"] for one in listeners}
    if way.port not in ports:
        heard = ", ".join(map(str, sorted(ports))) or "no port"
        what = f"CloudFront asks the load balancer on port {way.port}; it listens on {heard}."
        return Finding("origin-port-unheard", what, "Every request is answered with 504.", "apply")
    return None


def origin_key_matches(distribution: JsonObject, rules: list[JsonObject]) -> Finding | None:
    """Check that the key that CloudFront sends is one that the rules require; both are known by hash only.

    Raises:
        Unset: CloudFront sends no key, and no rule requires one.

    """
    shown = set(_shown(distribution))
    asked = [set(_asked(rule)) for rule in rules if any(map(requires_key, rule["Conditions"]))]
    if not asked and not shown:
        raise NotApplicable("CloudFront shows no key and the load balancer asks for none")
    why = "The load balancer answers every request of CloudFront's with 403."
    if asked and not shown:
        what = f"The load balancer asks for the header {HEADER}; CloudFront does not send it."
        return Finding("origin-key-not-sent", what, why, "apply")
    if any(not shown & keys for keys in asked):
        what = f"CloudFront's value of {HEADER} is none that the load balancer takes (values are not shown)."
        return Finding("origin-key-unknown", what, why, "apply")
    return None


def _shown(distribution: JsonObject) -> Iterator[str]:
    """Yield the hashes of the keys that CloudFront sends."""
    for origin in distribution["Origins"]["Items"]:
        for header in (origin.get("CustomHeaders") or {}).get("Items") or []:
            if header["HeaderName"] == HEADER:
                yield header["HeaderValue"]


def _asked(rule: JsonObject) -> Iterator[str]:
    """Yield the hashes of the keys that a rule accepts."""
    for condition in rule["Conditions"]:
        if requires_key(condition):
            yield from condition["HttpHeaderConfig"]["Values"]
