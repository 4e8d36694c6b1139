"""The topic of certificates: the days until each expires."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.scene import Line, Mark, Scene, Sight, asked

_DAY = 86400
# ACM renews its certificates 60 days before they expire (ACM user guide, managed renewal). If fewer days than
# this are left, the renewal has failed for a month.
_FEW = 30


CALLS = {"acm": ("DescribeCertificate",)}


def certificates(scene: Scene) -> Iterator[Line]:
    """Yield a line for each certificate of the stack, and for others that its CloudFront or listener uses."""
    yield from scene.tell("Certificate", partial(_line, scene))
    ours = {(one.doc or {}).get("CertificateArn") for one in scene.of("Certificate")}
    for logical_id, arn in _shown(scene).items():
        if arn not in ours:
            yield from asked(logical_id, partial(_of_others, scene, logical_id, arn))


def _shown(scene: Scene) -> dict[str, str]:
    """Return the ARN of the certificate that each distribution and listener uses, by logical id."""
    found = {}
    for one in scene.of("Distribution"):
        found[one.node] = (one.doc or {}).get("ViewerCertificate", {}).get("ACMCertificateArn", "")
    for one in scene.of("Listener"):
        given = (one.doc or {}).get("Certificates", [])
        found[one.node] = given[0].get("CertificateArn", "") if given else ""
    return {logical_id: arn for logical_id, arn in found.items() if arn}


def _of_others(scene: Scene, logical_id: str, arn: str) -> Line:
    """Read a certificate that the stack does not manage, in the region of its ARN (DescribeCertificate)."""
    acm = scene.clients.client("acm", arn.split(":")[3])
    doc = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return _line(scene, Sight(logical_id, "Certificate", arn), doc)


def _line(scene: Scene, one: Sight, doc: JsonObject) -> Line:
    """Return the line of a certificate: unhealthy if it is not issued, or has fewer than 30 days left."""
    status, end = doc.get("Status", ""), doc.get("NotAfter")
    name = doc.get("DomainName", one.name)
    if end is None:
        return Line(one.node, f"{name}: {status}", "unwell", {"status": status})
    days = int((end.timestamp() - scene.now) // _DAY)
    mark: Mark = "well" if status == "ISSUED" and days >= _FEW else "unwell"
    says = f"{name}: {status}, {days} days left (until {end.date().isoformat()})"
    return Line(one.node, says, mark, {"status": status, "days": days})
