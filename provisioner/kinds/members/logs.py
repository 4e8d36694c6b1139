"""Whose each member is: log groups, and the delivery of records."""

from __future__ import annotations

from provisioner.engine.owners import Default, Members, Theirs

# botocore logs LogGroup, retentionPolicyName: where an account-level policy applies, the days are its own.
LOG_GROUP = Members(
    ("logs DescribeLogGroups logGroups",),
    # Whether a bearer token alone lets a writer in (botocore logs PutBearerTokenAuthentication).
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
