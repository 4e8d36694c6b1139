"""Field ownership of log groups and of log deliveries."""

from __future__ import annotations

from provisioner.engine.owners import Default, Members, Theirs

# botocore logs LogGroup, retentionPolicyName: set where an account-level policy decides the retention.
LOG_GROUP = Members(
    ("logs DescribeLogGroups logGroups",),
    # Whether a bearer token is enough to write (botocore logs PutBearerTokenAuthentication).
    defaults=(Default("bearerTokenAuthenticationEnabled", value=False), Default("kmsKeyId", "")),
    born="logGroupClass logGroupName",
    inside="retentionInDays",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    aws="arn creationTime logGroupArn metricFilterCount storedBytes",
    nobody="deletionProtectionEnabled",
)
RETENTION = Members(
    ("logs DescribeLogGroups logGroups",),
    ours="retentionInDays",
    inside="bearerTokenAuthenticationEnabled deletionProtectionEnabled kmsKeyId",
    born="logGroupClass logGroupName",
    account="dataProtectionStatus inheritedProperties retentionPolicyName",
    aws="arn creationTime logGroupArn metricFilterCount storedBytes",
)
SOURCE = Members(
    ("logs GetDeliverySource deliverySource",),
    ours="logType name",
    renamed="resourceArns",
    aws="arn service status statusReason",
    nobody="deliverySourceConfiguration.**",
)
DESTINATION = Members(
    ("logs GetDeliveryDestination deliveryDestination",),
    ours="deliveryDestinationConfiguration.** name outputFormat",
    others=(Theirs("the account that the records are for", "roleArn"),),
    aws="arn deliveryDestinationType",
)
DELIVERY = Members(
    ("logs DescribeDeliveries deliveries",),
    ours="deliveryDestinationArn deliverySourceName",
    aws="arn deliveryDestinationType id",
    nobody="fieldDelimiter recordFields s3DeliveryConfiguration.**",
)
