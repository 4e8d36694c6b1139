"""A managed policy stays as long as anybody has it."""

from __future__ import annotations

from provisioner.embedded.answers import AwsError
from provisioner.embedded.hooks import manners
from provisioner.embedded.inner import backend
from provisioner.embedded.wire import Call


@manners.before("iam", "DeletePolicy")
def attached(call: Call) -> None:
    """Refuse while it is attached, or bounds a role: IAM API, DeletePolicy, DeleteConflict."""
    arn, iam = call.params["PolicyArn"], backend("iam", call.account, "aws")
    entities = (*iam.roles.values(), *iam.users.values(), *iam.groups.values())
    bounds = any(role.permissions_boundary_arn == arn for role in iam.roles.values())
    if bounds or any(arn in one.managed_policies for one in entities):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
