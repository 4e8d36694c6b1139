"""Field ownership of roles and policies; the `Id` of a policy document grants nothing, so nobody owns it."""

from __future__ import annotations

from provisioner.engine.types.field_owners import Default, FieldOwnership

ROLE = FieldOwnership(
    ("iam GetRole Role",),
    ours="AssumeRolePolicyDocument Description",
    # A boundary limits what the stack grants to the role.
    defaults=(Default("PermissionsBoundary", ""),),
    renamed="PermissionsBoundary.**",
    born="Path RoleName SourceRoleTemplate.**",
    aws="Arn CreateDate RoleId RoleLastUsed.**",
    unowned="MaxSessionDuration AssumeRolePolicyDocument.Id",
)
ROLE_POLICY = FieldOwnership(
    ("iam GetRolePolicy",), ours="PolicyDocument PolicyName RoleName", unowned="PolicyDocument.Id"
)
SERVICE_ROLE = FieldOwnership(("iam GetRole Role",), account="**")
MANAGED_POLICY = FieldOwnership(
    ("iam GetPolicy Policy", "iam GetPolicyVersion PolicyVersion"),
    renamed="Document",
    unowned="PolicyDocument.Id",
    born="Description Path PolicyName",
    aws="Arn AttachmentCount CreateDate DefaultVersionId IsAttachable IsDefaultVersion"
    " PermissionsBoundaryUsageCount PolicyId UpdateDate VersionId",
)
