"""Whose each member is: roles and policies; what somebody called a policy lets nobody in (its `Id`)."""

from __future__ import annotations

from provisioner.engine.owners import Default, Members

ROLE = Members(
    ("iam GetRole Role",),
    ours="AssumeRolePolicyDocument Description",
    # It takes from the role what the stack gives it.
    defaults=(Default("PermissionsBoundary", ""),),
    renamed="PermissionsBoundary.**",
    born="Path RoleName SourceRoleTemplate.**",
    aws="Arn CreateDate RoleId RoleLastUsed.**",
    nobody="MaxSessionDuration AssumeRolePolicyDocument.Id",
)
ROLE_POLICY = Members(
    ("iam GetRolePolicy",), ours="PolicyDocument PolicyName RoleName", nobody="PolicyDocument.Id"
)
SERVICE_ROLE = Members(("iam GetRole Role",), account="**")
MANAGED_POLICY = Members(
    ("iam GetPolicy Policy", "iam GetPolicyVersion PolicyVersion"),
    renamed="Document",
    nobody="PolicyDocument.Id",
    born="Description Path PolicyName",
    aws="Arn AttachmentCount CreateDate DefaultVersionId IsAttachable IsDefaultVersion"
    " PermissionsBoundaryUsageCount PolicyId UpdateDate VersionId",
)
