"""CloudFront in front of the load balancer, and its way to a private one."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import Edge, ResourceHandle, Step
from provisioner.names import ZONE_TAG
from provisioner.resources.cloudfront import Distribution
from provisioner.resources.iam import ServiceLinkedRole
from provisioner.resources.vpc_origin import VpcOrigin
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.alb_rules import PAGES
from provisioner.steps.certificates import Certificates
from provisioner.steps.origin_key import OriginKey
from provisioner.steps.vpc import Network

# Managed policies: the same ids in every account (CloudFront developer guide, using-managed-cache-policies,
# using-managed-origin-request-policies, using-managed-response-headers-policies).
_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
# HSTS for a year, nosniff, SAMEORIGIN, strict-origin-when-cross-origin. A header that the API sets itself
# stays.
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
# All statuses for which a caching time can be set. Without one, CloudFront caches errors for 10 s.
_ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
_ORIGIN_ID = "alb"


def declare_distribution(
    step: Step,
    settings: Settings,
    balancer: Balancer,
    acl: ResourceHandle | None,
    origin_key: OriginKey | None,
    certificates: Certificates | None = None,
    origin_name: ResourceHandle | None = None,
    vpc_origin: ResourceHandle | None = None,
) -> ResourceHandle:
    """Declare the distribution.

    It refers to the load balancer, and is not created before the listener and its rules are ready.
    """
    zone = settings.domain.hosted_zone_id
    return step(
        Distribution,
        "edge",
        Enabled=True,
        Origins={"Items": [_origin_config(settings, balancer, origin_key, vpc_origin)]},
        Aliases={"Items": list(settings.domain.names)},
        DefaultCacheBehavior=_cache_behavior(settings),
        # A behavior that somebody adds would send its paths elsewhere, so there are to be none.
        CacheBehaviors={"Items": []},
        OriginGroups={"Items": []},
        CustomErrorResponses={"Items": [_error_response(code, settings) for code in _ERROR_CODES]},
        PriceClass=settings.edge.price_class,
        HttpVersion="http2and3",
        IsIPV6Enabled=True,
        ViewerCertificate=_viewer_certificate(settings, certificates),
        WebACLId=acl.id if acl else "",
        depends_on=[
            *_ready_edges(balancer, certificates, origin_name),
            *([vpc_origin.ready("CloudFront calls through an origin that is deployed")] if vpc_origin else []),
        ],
        extra_tags={ZONE_TAG: zone} if zone and certificates else {},
    )


def _cache_behavior(settings: Settings) -> dict[str, Any]:
    """Return the behaviour for all requests: every method reaches the load balancer, and nothing is cached."""
    return {
        "TargetOriginId": _ORIGIN_ID,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            "CachedMethods": {"Items": ["GET", "HEAD"]},
        },
        "Compress": True,
        "CachePolicyId": _CACHING_DISABLED,
        "OriginRequestPolicyId": _ALL_VIEWER,
        "ResponseHeadersPolicyId": _SECURITY_HEADERS if settings.edge.security_headers else "",
    }


def _viewer_certificate(settings: Settings, certificates: Certificates | None) -> dict[str, Any]:
    """Return the certificate for viewers: CloudFront's own one, if there is no domain."""
    if certificates is None:
        return {"CloudFrontDefaultCertificate": True}
    tls = {"SSLSupportMethod": "sni-only", "MinimumProtocolVersion": settings.domain.tls}
    return {"ACMCertificateArn": certificates.edge.arn, **tls}


def _ready_edges(
    balancer: Balancer, certificates: Certificates | None, origin_name: ResourceHandle | None
) -> list[Edge]:
    """Return the edges to what must be ready before CloudFront calls or presents it."""
    # This holds also when the key is switched off: no rule may ask for a key that CloudFront no longer sends.
    reason = "the load balancer must serve the port, and take the key, that CloudFront will use"
    rules = [rule.ready(reason) for rule in balancer.rules]
    name_edges = [origin_name.ready("CloudFront calls the balancer by this name")] if origin_name else []
    return [*rules, *name_edges, *(certificates.edge.issuance_edges if certificates else [])]


def _origin_config(
    settings: Settings, balancer: Balancer, origin_key: OriginKey | None, vpc_origin: ResourceHandle | None
) -> dict[str, Any]:
    """Return the VPC origin, if there is one, else a custom origin at the load balancer's name."""
    origin = {
        "Id": _ORIGIN_ID,
        "DomainName": settings.domain.origin or balancer.alb["DNSName"],
        "CustomHeaders": {"Items": [origin_key.header()] if origin_key else []},
    }
    timeouts = {"OriginReadTimeout": 60, "OriginKeepaliveTimeout": 5}
    if vpc_origin:
        return {**origin, "VpcOriginConfig": {"VpcOriginId": vpc_origin.id, **timeouts}}
    return {
        **origin,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if balancer.serves_https else "http-only",
            "OriginSslProtocols": {"Items": ["TLSv1.2"]},
            **timeouts,
        },
    }


def _error_response(code: int, settings: Settings) -> dict[str, Any]:
    """Return the settings for one status: never cached, and for 403 and 404 a page of our own."""
    page, status = (PAGES[code][0], str(code)) if settings.edge.error_pages and code in PAGES else ("", "")
    return {"ErrorCode": code, "ErrorCachingMinTTL": 0, "ResponsePagePath": page, "ResponseCode": status}


def declare_vpc_origin(step: Step, settings: Settings, network: Network, balancer: Balancer) -> ResourceHandle | None:
    """Declare the VPC origin, or return None if the settings do not ask for it.

    CloudFront requires an internet gateway at the VPC, although it does not use it.
    """
    if not settings.edge.vpc_origin:
        return None
    role = step(ServiceLinkedRole, "slr-vpc-origin", AWSServiceName="vpcorigin.cloudfront.amazonaws.com")
    return step(
        VpcOrigin,
        "vpc-origin",
        Arn=balancer.alb.id,
        HTTPPort=80,
        HTTPSPort=443,
        OriginProtocolPolicy="https-only" if balancer.serves_https else "http-only",
        OriginSslProtocols={"Items": ["TLSv1.2"]},
        depends_on=[
            balancer.alb.ready("CloudFront accepts only a load balancer that is active"),
            network.internet_gateway,
            role,
        ],
    )
