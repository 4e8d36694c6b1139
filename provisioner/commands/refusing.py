"""Why a plan may not be carried out."""

from __future__ import annotations

from provisioner.engine.plan import Plan
from provisioner.errors import Blocked


def refusal(made: Plan) -> Blocked:
    """What stands in the way, and the way out."""
    told = "\n".join(f"  {one.kind} {one.name} {one.id}: {one.why}" for one in made.refused)
    hint = "Set it back to what it was: what stands there is kept as it is."
    if any(one.foreign for one in made.refused):
        hint = "Choose another suffix, or delete or rename what is somebody else's."
    return Blocked(f"{len(made.refused)} in the way; nothing was changed.\n{told}", hint)
