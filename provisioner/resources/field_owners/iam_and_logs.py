"""Field ownership of roles, policies, log groups and log deliveries."""

from __future__ import annotations

from provisioner.engine.types.field_ownership import Default, FieldOwnership, ForeignFields

ROLE = FieldOwnership(
    ("iam GetRole Role",),
    ours="AssumeRolePolicyDocument Description",
    # A boundary limits what the stack grants to the role.
    defaults=(Default("PermissionsBoundary", ""),),
    renamed="PermissionsBoundary.**",
    create_only="Path RoleName SourceRoleTemplate.**",
    read_only="Arn CreateDate RoleId RoleLastUsed.**",
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
    create_only="Description Path PolicyName",
    read_only="Arn AttachmentCount CreateDate DefaultVersionId IsAttachable IsDefaultVersion"
    " PermissionsBoundaryUsageCount PolicyId UpdateDate VersionId",
)


# botocore logs LogGroup, retentionPolicyName: set where an account-level policy decides the retention.
LOG_GROUP = FieldOwnership(
    ("logs DescribeLogGroups logGroups",),
    # Whether a bearer token is enough to write (botocore logs PutBearerTokenAuthentication).
    defaults=(Default("bearerTokenAuthenticationEnabled", value=False), Default("kmsKeyId", "")),
    create_only="logGroupClass logGroupName",
    as_children="retentionInDays",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    read_only="arn creationTime logGroupArn metricFilterCount storedBytes",
    unowned="deletionProtectionEnabled",
)
RETENTION = FieldOwnership(
    ("logs DescribeLogGroups logGroups",),
    ours="retentionInDays",
    as_children="bearerTokenAuthenticationEnabled deletionProtectionEnabled kmsKeyId",
    create_only="logGroupClass logGroupName",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    read_only="arn creationTime logGroupArn metricFilterCount storedBytes",
)
SOURCE = FieldOwnership(
    ("logs GetDeliverySource deliverySource",),
    ours="logType name",
    renamed="resourceArns",
    read_only="arn service status statusReason",
    unowned="deliverySourceConfiguration.**",
)
DESTINATION = FieldOwnership(
    ("logs GetDeliveryDestination deliveryDestination",),
    ours="deliveryDestinationConfiguration.** name outputFormat",
    foreign=(ForeignFields("the account that the records are for", "roleArn"),),
    read_only="arn deliveryDestinationType",
)
DELIVERY = FieldOwnership(
    ("logs DescribeDeliveries deliveries",),
    ours="deliveryDestinationArn deliverySourceName",
    read_only="arn deliveryDestinationType id",
    unowned="fieldDelimiter recordFields s3DeliveryConfiguration.**",
)
