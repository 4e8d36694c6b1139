"""The topic of certificates: the days until each expires."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource, line_or_unknown
from provisioner.service_clients import ACM

_SECONDS_PER_DAY = 86400
# ACM renews its certificates 60 days before they expire (ACM user guide, managed renewal). If fewer days than
# this are left, the renewal has failed for a month.
_MIN_DAYS_LEFT = 30


CALLS = {"acm": ("DescribeCertificate",)}


def certificates(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each certificate of the stack, and for others that its CloudFront or listener uses."""
    yield from context.lines_of_type("Certificate", partial(_certificate_line, context))
    ours = {(certificate.actual or {}).get("CertificateArn") for certificate in context.of_types("Certificate")}
    for logical_id, arn in _certificates_in_use(context).items():
        if arn not in ours:
            yield from line_or_unknown(logical_id, partial(_foreign_certificate_line, context, logical_id, arn))


def _certificates_in_use(context: HealthContext) -> dict[str, str]:
    """Return the ARN of the certificate that each distribution and listener uses, by logical id."""
    arns = {}
    for resource in context.of_types("Distribution"):
        arns[resource.logical_id] = (resource.actual or {}).get("ViewerCertificate", {}).get("ACMCertificateArn", "")
    for resource in context.of_types("Listener"):
        certificates = (resource.actual or {}).get("Certificates", [])
        arns[resource.logical_id] = certificates[0].get("CertificateArn", "") if certificates else ""
    return {logical_id: arn for logical_id, arn in arns.items() if arn}


def _foreign_certificate_line(context: HealthContext, logical_id: str, arn: str) -> HealthLine:
    """Read a certificate that the stack does not manage, in the region of its ARN (DescribeCertificate)."""
    acm = context.clients.client(ACM, arn.split(":")[3])
    actual = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return _certificate_line(context, ObservedResource(logical_id, "Certificate", arn), actual)


def _certificate_line(context: HealthContext, certificate: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of a certificate: unhealthy if it is not issued, or has fewer than 30 days left."""
    status, end = actual.get("Status", ""), actual.get("NotAfter")
    name = actual.get("DomainName", certificate.aws_name)
    if end is None:
        return HealthLine(certificate.logical_id, f"{name}: {status}", "unhealthy", {"status": status})
    days = int((end.timestamp() - context.now) // _SECONDS_PER_DAY)
    line_status: LineStatus = "healthy" if status == "ISSUED" and days >= _MIN_DAYS_LEFT else "unhealthy"
    text = f"{name}: {status}, {days} days left (until {end.date().isoformat()})"
    return HealthLine(certificate.logical_id, text, line_status, {"status": status, "days": days})
