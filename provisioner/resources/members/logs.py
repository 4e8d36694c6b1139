"""Field ownership of log groups and of log deliveries."""

from __future__ import annotations

from provisioner.engine.types.field_owners import Default, FieldOwnership, ForeignFields

# botocore logs LogGroup, retentionPolicyName: set where an account-level policy decides the retention.
LOG_GROUP = FieldOwnership(
    ("logs DescribeLogGroups logGroups",),
    # Whether a bearer token is enough to write (botocore logs PutBearerTokenAuthentication).
    defaults=(Default("bearerTokenAuthenticationEnabled", value=False), Default("kmsKeyId", "")),
    born="logGroupClass logGroupName",
    inside="retentionInDays",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    aws="arn creationTime logGroupArn metricFilterCount storedBytes",
    unowned="deletionProtectionEnabled",
)
RETENTION = FieldOwnership(
    ("logs DescribeLogGroups logGroups",),
    ours="retentionInDays",
    inside="bearerTokenAuthenticationEnabled deletionProtectionEnabled kmsKeyId",
    born="logGroupClass logGroupName",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    aws="arn creationTime logGroupArn metricFilterCount storedBytes",
)
SOURCE = FieldOwnership(
    ("logs GetDeliverySource deliverySource",),
    ours="logType name",
    renamed="resourceArns",
    aws="arn service status statusReason",
    unowned="deliverySourceConfiguration.**",
)
DESTINATION = FieldOwnership(
    ("logs GetDeliveryDestination deliveryDestination",),
    ours="deliveryDestinationConfiguration.** name outputFormat",
    foreign=(ForeignFields("the account that the records are for", "roleArn"),),
    aws="arn deliveryDestinationType",
)
DELIVERY = FieldOwnership(
    ("logs DescribeDeliveries deliveries",),
    ours="deliveryDestinationArn deliverySourceName",
    aws="arn deliveryDestinationType id",
    unowned="fieldDelimiter recordFields s3DeliveryConfiguration.**",
)
