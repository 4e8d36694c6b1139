"""The errors of a plan that may not be carried out."""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.planning.plan import Plan
from provisioner.errors import Blocked
from provisioner.preflight.findings import Finding


def refusal_error(plan: Plan) -> Blocked:
    """Return the error that names the changes in the way, and the way out of each."""
    told = "\n".join(
        f"  {' '.join(filter(None, dict.fromkeys((str(one.type_name), one.aws_name, one.id))))}: {one.reason}"
        for one in plan.refused
    )
    kept = (
        "Set it back to what it was: what stands there is kept as it is. Or bring up a second stack with the "
        "new value (`--suffix OTHER`), move the data there, and take this one down."
    )
    anothers = "Choose another suffix, or delete or rename what is somebody else's."
    hints = [one.remedy or (anothers if one.foreign else kept) for one in plan.refused]
    return Blocked(f"{len(plan.refused)} in the way; nothing was changed.\n{told}", "\n".join(dict.fromkeys(hints)))


def check_findings(findings: Iterable[Finding]) -> None:
    """Raise Blocked if a check found what would fail; warnings pass."""
    blocking = [one for one in findings if one.blocks]
    if blocking:
        told = "\n".join(f"  {one.address}: {one.what}" for one in blocking)
        hints = dict.fromkeys(one.hint for one in blocking if one.hint)
        raise Blocked(
            f"{len(blocking)} found before the first call; nothing was changed.\n{told}",
            "\n".join([*hints, "To go on all the same, give --skip-preflight."]),
        )
