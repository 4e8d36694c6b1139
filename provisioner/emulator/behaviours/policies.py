"""Managed policies: IAM refuses to delete one that is attached or has several versions."""

from __future__ import annotations

from provisioner.emulator.answers import AwsError
from provisioner.emulator.hooks import always, manners
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call


@always.before("iam", "DeletePolicy")
def versions(call: Call) -> None:
    """Refuse to delete a policy that has non-default versions: IAM API, DeletePolicy, DeleteConflict."""
    policy = backend("iam", call.account, "aws").managed_policies.get(call.params["PolicyArn"])
    if policy and len(policy.versions) > 1:
        raise AwsError(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy.",
            409,
        )


@manners.before("iam", "DeletePolicy")
def attached(call: Call) -> None:
    """Refuse to delete a policy that is attached or a boundary: IAM API, DeletePolicy, DeleteConflict."""
    arn, iam = call.params["PolicyArn"], backend("iam", call.account, "aws")
    entities = (*iam.roles.values(), *iam.users.values(), *iam.groups.values())
    bounds = any(role.permissions_boundary_arn == arn for role in iam.roles.values())
    if bounds or any(arn in one.managed_policies for one in entities):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
