"""The topic of certificates: the days until each expires."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource, line_or_unknown

_DAY = 86400
# ACM renews its certificates 60 days before they expire (ACM user guide, managed renewal). If fewer days than
# this are left, the renewal has failed for a month.
_FEW = 30


CALLS = {"acm": ("DescribeCertificate",)}


def certificates(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each certificate of the stack, and for others that its CloudFront or listener uses."""
    yield from context.lines("Certificate", partial(_line, context))
    ours = {(one.actual or {}).get("CertificateArn") for one in context.of_types("Certificate")}
    for logical_id, arn in _shown(context).items():
        if arn not in ours:
            yield from line_or_unknown(logical_id, partial(_of_others, context, logical_id, arn))


def _shown(context: HealthContext) -> dict[str, str]:
    """Return the ARN of the certificate that each distribution and listener uses, by logical id."""
    found = {}
    for one in context.of_types("Distribution"):
        found[one.logical_id] = (one.actual or {}).get("ViewerCertificate", {}).get("ACMCertificateArn", "")
    for one in context.of_types("Listener"):
        given = (one.actual or {}).get("Certificates", [])
        found[one.logical_id] = given[0].get("CertificateArn", "") if given else ""
    return {logical_id: arn for logical_id, arn in found.items() if arn}


def _of_others(context: HealthContext, logical_id: str, arn: str) -> HealthLine:
    """Read a certificate that the stack does not manage, in the region of its ARN (DescribeCertificate)."""
    acm = context.clients.client("acm", arn.split(":")[3])
    doc = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return _line(context, ObservedResource(logical_id, "Certificate", arn), doc)


def _line(context: HealthContext, one: ObservedResource, doc: JsonObject) -> HealthLine:
    """Return the line of a certificate: unhealthy if it is not issued, or has fewer than 30 days left."""
    status, end = doc.get("Status", ""), doc.get("NotAfter")
    name = doc.get("DomainName", one.aws_name)
    if end is None:
        return HealthLine(one.logical_id, f"{name}: {status}", "unwell", {"status": status})
    days = int((end.timestamp() - context.now) // _DAY)
    mark: LineStatus = "well" if status == "ISSUED" and days >= _FEW else "unwell"
    says = f"{name}: {status}, {days} days left (until {end.date().isoformat()})"
    return HealthLine(one.logical_id, says, mark, {"status": status, "days": days})
