"""The certificates: how long each still lasts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.refs import Doc
from provisioner.health.scene import Line, Mark, Scene, Sight, asked

_DAY = 86400
# ACM renews what it has issued 60 days before its end (ACM user guide, managed renewal): with fewer than
# these left that has failed for a month.
_FEW = 30


CALLS = {"acm": ("DescribeCertificate",)}


def certificates(scene: Scene) -> Iterator[Line]:
    """Those of the stack, and those of somebody else's making that its CloudFront or balancer shows."""
    yield from scene.tell("Certificate", partial(_line, scene))
    ours = {(one.doc or {}).get("CertificateArn") for one in scene.of("Certificate")}
    for node, arn in _shown(scene).items():
        if arn not in ours:
            yield from asked(node, partial(_of_others, scene, node, arn))


def _shown(scene: Scene) -> dict[str, str]:
    """What CloudFront and each listener shows, by the node that shows it."""
    found = {}
    for one in scene.of("Distribution"):
        found[one.node] = (one.doc or {}).get("ViewerCertificate", {}).get("ACMCertificateArn", "")
    for one in scene.of("Listener"):
        given = (one.doc or {}).get("Certificates", [])
        found[one.node] = given[0].get("CertificateArn", "") if given else ""
    return {node: arn for node, arn in found.items() if arn}


def _of_others(scene: Scene, node: str, arn: str) -> Line:
    """DescribeCertificate, in the region that its ARN names."""
    acm = scene.clients.client("acm", arn.split(":")[3])
    doc = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return _line(scene, Sight(node, "Certificate", arn), doc)


def _line(scene: Scene, one: Sight, doc: Doc) -> Line:
    status, end = doc.get("Status", ""), doc.get("NotAfter")
    name = doc.get("DomainName", one.name)
    if end is None:
        return Line(one.node, f"{name}: {status}", "unwell", {"status": status})
    days = int((end.timestamp() - scene.now) // _DAY)
    mark: Mark = "well" if status == "ISSUED" and days >= _FEW else "unwell"
    says = f"{name}: {status}, {days} days left (until {end.date().isoformat()})"
    return Line(one.node, says, mark, {"status": status, "days": days})
