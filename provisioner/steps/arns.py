"""ARNs of the stack's resources, which may be built before the account is known."""

from __future__ import annotations

from provisioner.engine.resource_graph.graph import Step
from provisioner.engine.resource_graph.references import Interpolation, interpolate
from provisioner.steps.lookups import StackLookups


def arn(step: Step, lookups: StackLookups, service: str, rest: str | Interpolation, region: str = "") -> Interpolation:
    """Return `arn:<partition>:<service>:<region>:<account>:<rest>`, by default in the stack's region."""
    form = "arn:{}:{}:{}:{}:{}"
    return interpolate(form, lookups.partition, service, region or step.stack.region, lookups.account, rest)
