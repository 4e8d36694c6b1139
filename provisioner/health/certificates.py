"""The certificates: how long each still lasts."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.refs import Doc
from provisioner.health.scene import Line, Mark, Scene, Sight

_DAY = 86400
# ACM renews what it has issued 60 days before its end (ACM user guide, managed renewal): with fewer than
# these left that has failed for a month.
_FEW = 30


def certificates(scene: Scene) -> Iterator[Line]:
    """Every certificate that is seen, by what DescribeCertificate says."""

    def line(one: Sight, doc: Doc) -> Line:
        status, end = doc.get("Status", ""), doc.get("NotAfter")
        name = doc.get("DomainName", one.name)
        if end is None:
            return Line(one.node, f"{name}: {status}", "unwell", {"status": status})
        days = int((end.timestamp() - scene.now) // _DAY)
        mark: Mark = "well" if status == "ISSUED" and days >= _FEW else "unwell"
        says = f"{name}: {status}, {days} days left (until {end.date().isoformat()})"
        return Line(one.node, says, mark, {"status": status, "days": days})

    return scene.tell("Certificate", line)
