"""The errors of a plan that may not be carried out."""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.planning.plan import Plan
from provisioner.errors import Blocked
from provisioner.preflight.findings import Finding


def refusal_error(plan: Plan) -> Blocked:
    """Return the error that names the changes in the way, and the way out of each."""
    reasons = "\n".join(
        f"  {' '.join(filter(None, dict.fromkeys((str(change.type_name), change.aws_name, change.id))))}"
        f": {change.reason}"
        for change in plan.refused
    )
    keep_hint = (
        "Set it back to what it was: what stands there is kept as it is. Or bring up a second stack with the "
        "new value (`--suffix OTHER`), move the data there, and take this one down."
    )
    foreign_hint = "Choose another suffix, or delete or rename what is somebody else's."
    hints = [change.remedy or (foreign_hint if change.foreign else keep_hint) for change in plan.refused]
    return Blocked(f"{len(plan.refused)} in the way; nothing was changed.\n{reasons}", "\n".join(dict.fromkeys(hints)))


def raise_for_findings(findings: Iterable[Finding]) -> None:
    """Raise Blocked if a check found what would fail; warnings pass."""
    blocking = [finding for finding in findings if finding.blocks]
    if blocking:
        reasons = "\n".join(f"  {finding.address}: {finding.what}" for finding in blocking)
        hints = dict.fromkeys(finding.hint for finding in blocking if finding.hint)
        raise Blocked(
            f"{len(blocking)} found before the first call; nothing was changed.\n{reasons}",
            "\n".join([*hints, "To go on all the same, give --skip-preflight."]),
        )
