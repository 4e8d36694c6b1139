"""CloudFront in front of the load balancer: HTTPS for viewers, nothing cached, everything passed through."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Edge, Handle, Piece
from provisioner.kinds.cloudfront import Distribution
from provisioner.names import ZONE_TAG
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.alb_rules import PAGES
from provisioner.steps.certificates import Certificates
from provisioner.steps.guard import Guard

# Managed policies: the same ids in every account (CloudFront developer guide, using-managed-cache-policies,
# using-managed-origin-request-policies, using-managed-response-headers-policies).
_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
# HSTS for a year, nosniff, SAMEORIGIN, strict-origin-when-cross-origin; what the API itself says stands.
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
# Every status that may carry a caching time of its own: CloudFront keeps errors 10 s otherwise.
_ERRORS = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
_ORIGIN = "alb"


def edge(
    up: Piece,
    s: Settings,
    balancer: Balancer,
    acl: Handle | None,
    key: Guard | None,
    proven: Certificates | None = None,
    origin: Handle | None = None,
    within: Handle | None = None,
) -> Handle:
    """It needs only the balancer's name to begin, and takes its time."""
    return up(
        Distribution,
        "edge",
        Enabled=True,
        Origins={"Items": [_origin(s, balancer, key, within)]},
        Aliases={"Items": list(s.domain.names)},
        DefaultCacheBehavior={
            "TargetOriginId": _ORIGIN,
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": {
                "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
                "CachedMethods": {"Items": ["GET", "HEAD"]},
            },
            "Compress": True,
            "CachePolicyId": _CACHING_DISABLED,
            "OriginRequestPolicyId": _ALL_VIEWER,
            "ResponseHeadersPolicyId": _SECURITY_HEADERS if s.edge.security_headers else "",
        },
        # What a person adds there would lead a path elsewhere.
        CacheBehaviors={"Items": []},
        OriginGroups={"Items": []},
        CustomErrorResponses={"Items": [_error(code, s) for code in _ERRORS]},
        PriceClass=s.edge.price_class,
        HttpVersion="http2and3",
        IsIPV6Enabled=True,
        ViewerCertificate=_certificate(s, proven),
        WebACLId=acl.id if acl else "",
        after=[
            *_after(balancer, proven, origin),
            *([within.ready("CloudFront calls through an origin that is deployed")] if within else []),
        ],
        marks={ZONE_TAG: zone} if (zone := s.domain.hosted_zone_id) and proven else {},
    )


def _certificate(s: Settings, proven: Certificates | None) -> dict[str, Any]:
    """What CloudFront shows to viewers: its own certificate, where there is no domain."""
    if proven is None:
        return {"CloudFrontDefaultCertificate": True}
    modern = {"SSLSupportMethod": "sni-only", "MinimumProtocolVersion": s.domain.tls}
    return {"ACMCertificateArn": proven.edge.arn, **modern}


def _after(balancer: Balancer, proven: Certificates | None, origin: Handle | None) -> list[Edge]:
    """What must serve before CloudFront calls it, or shows it."""
    # Where the key is no longer asked for, too: none of them may ask when CloudFront shows none any more.
    because = "the balancer must take a key or none, and serve a port, before CloudFront comes so"
    rules = [rule.ready(because) for rule in balancer.rules]
    named = [origin.ready("CloudFront calls the balancer by this name")] if origin else []
    return [*rules, *named, *(proven.edge.after if proven else [])]


def _origin(s: Settings, balancer: Balancer, key: Guard | None, within: Handle | None) -> dict[str, Any]:
    origin = {
        "Id": _ORIGIN,
        "DomainName": s.domain.origin or balancer.alb["DNSName"],
        "CustomHeaders": {"Items": [key.header()] if key else []},
    }
    patience = {"OriginReadTimeout": 60, "OriginKeepaliveTimeout": 5}
    if within:
        return {**origin, "VpcOriginConfig": {"VpcOriginId": within.id, **patience}}
    return {
        **origin,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if balancer.secure else "http-only",
            "OriginSslProtocols": {"Items": ["TLSv1.2"]},
            **patience,
        },
    }


def _error(code: int, s: Settings) -> dict[str, Any]:
    page, status = (PAGES[code][0], str(code)) if s.edge.error_pages and code in PAGES else ("", "")
    return {"ErrorCode": code, "ErrorCachingMinTTL": 0, "ResponsePagePath": page, "ResponseCode": status}
