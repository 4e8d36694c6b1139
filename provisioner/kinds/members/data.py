"""Field ownership of databases, tables, keys and secrets."""

from __future__ import annotations

from provisioner.engine.owners import Default, Members, Theirs

KEY = Members(
    ("kms DescribeKey KeyMetadata", "kms GetKeyPolicy"),
    ours="Description Policy",
    nobody="Policy.Id",
    born="CloudHsmClusterId CustomKeyStoreId CustomerMasterKeySpec KeySpec KeyUsage MultiRegion Origin"
    " XksKeyConfiguration.**",
    aws="AWSAccountId Arn CreationDate CurrentKeyMaterialId DeletionDate Enabled EncapsulationAlgorithms"
    " EncryptionAlgorithms ExpirationModel KeyAgreementAlgorithms KeyId KeyManager KeyState MacAlgorithms"
    " MultiRegionConfiguration.** PendingDeletionWindowInDays PolicyName SigningAlgorithms ValidTo",
)
KEY_ALIAS = Members(
    ("kms ListAliases Aliases",),
    ours="AliasName TargetKeyId",
    aws="AliasArn CreationDate LastUpdatedDate",
)
KEY_ROTATION = Members(
    ("kms GetKeyRotationStatus",),
    ours="KeyRotationEnabled",
    aws="KeyId NextRotationDate OnDemandRotationStartDate",
    nobody="RotationPeriodInDays",
)
SECRET = Members(
    ("secretsmanager DescribeSecret",),
    ours="Description Name",
    # AWS returns no key for the AWS managed one.
    defaults=(Default("KmsKeyId", "alias/aws/secretsmanager"),),
    inside="CrossAccountReplicas.** ReplicationStatus.** RotationEnabled RotationLambdaARN RotationRules.**",
    others=(
        Theirs("the service that made it", "OwningService"),
        Theirs("the partner that rotates it", "ExternalSecretRotationMetadata.** ExternalSecretRotationRoleArn"),
        Theirs("the secret that it is a copy of", "CrossAccountPrimary.** PrimaryRegion"),
    ),
    born="Type",
    aws="ARN CreatedDate DeletedDate LastAccessedDate LastChangedDate LastRotatedDate NextRotationDate"
    " VersionIdsToStages.**",
)
ROTATION = Members(
    ("secretsmanager DescribeSecret",),
    ours="RotationRules.AutomaticallyAfterDays",
    renamed="ARN",
    others=(
        Theirs(
            "RDS, whose secret it is",
            "CrossAccountPrimary.** CrossAccountReplicas.** Description ExternalSecretRotationMetadata.**"
            " ExternalSecretRotationRoleArn KmsKeyId Name OwningService PrimaryRegion ReplicationStatus.**"
            " RotationLambdaARN Type",
        ),
    ),
    aws="CreatedDate DeletedDate LastAccessedDate LastChangedDate LastRotatedDate NextRotationDate"
    " RotationEnabled VersionIdsToStages.**",
    nobody="RotationRules.Duration RotationRules.ScheduleExpression RotationRules",
)
DB_SUBNETS = Members(
    ("rds DescribeDBSubnetGroups DBSubnetGroups",),
    ours="DBSubnetGroupDescription DBSubnetGroupName",
    renamed="Subnets.**",
    aws="DBSubnetGroupArn SubnetGroupStatus SupportedNetworkTypes VpcId",
)
DB_PARAMETER_GROUP = Members(
    ("rds DescribeDBClusterParameterGroups DBClusterParameterGroups",),
    born="DBClusterParameterGroupName DBParameterGroupFamily Description",
    aws="DBClusterParameterGroupArn",
)
DB_PARAMETERS = Members(
    ("rds DescribeDBClusterParameters Parameters",),
    renamed="ParameterName ParameterValue",
    aws="AllowedValues ApplyMethod ApplyType DataType Description IsModifiable MinimumEngineVersion Source"
    " SupportedEngineModes",
)
DB_CLUSTER = Members(
    ("rds DescribeDBClusters DBClusters",),
    ours="BackupRetentionPeriod CopyTagsToSnapshot DeletionProtection"
    " ServerlessV2ScalingConfiguration.MaxCapacity ServerlessV2ScalingConfiguration.MinCapacity",
    # The HTTP endpoint gives access without the network: from anywhere, with the permission (Aurora user
    # guide, data-api).
    defaults=(
        Default("HttpEndpointEnabled", value=False),
        # Directories whose users may sign in, and roles that the database itself may use.
        Default("DomainMemberships", []),
        Default("AssociatedRoles", []),
        # The port that the tasks connect to, the only one that the security group allows.
        Default("Port", 5432),
    ),
    renamed="DBClusterParameterGroup DBSubnetGroup EnabledCloudwatchLogsExports"
    " IAMDatabaseAuthenticationEnabled MasterUserSecret.** VpcSecurityGroups.**",
    inside="DBClusterMembers.**",
    # ModifyDBCluster does not accept these (botocore rds).
    born="AvailabilityZones CharacterSetName CloneGroupId ClusterScalabilityType DBClusterIdentifier"
    " DBSystemId DatabaseName Engine EngineMode InternetAccessGatewayEnabled KmsKeyId MasterUsername"
    " PubliclyAccessible RdsCustomClusterConfiguration.** StorageEncrypted StorageEncryptionType"
    " VPCNetworkingEnabled",
    others=(
        Theirs("AWS, which upgrades minor versions", "EngineVersion"),
        Theirs(
            "who has its activity recorded",
            "ActivityStreamKinesisStreamName ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamStatus",
        ),
        Theirs(
            "the global database",
            "GlobalClusterIdentifier GlobalWriteForwardingRequested"
            " GlobalWriteForwardingStatus ReplicationSourceIdentifier ReadReplicaIdentifiers",
        ),
        Theirs("the organisation, whose upgrades come in an order", "UpgradeRolloutOrder"),
        Theirs("AWS Backup", "AwsBackupRecoveryPointArn"),
    ),
    aws="AutomaticRestartTime BacktrackConsumedChangeRecords Capacity ClusterCreateTime"
    " CrossAccountClone CustomEndpoints DBClusterArn DbClusterResourceId EarliestBacktrackTime"
    " EarliestRestorableTime Endpoint HostedZoneId IOOptimizedNextAllowedModificationTime"
    " LatestRestorableTime MultiAZ PendingModifiedValues.** PercentProgress ReaderEndpoint"
    " ServerlessV2PlatformVersion Status StatusInfos.**",
    nobody="AllocatedStorage AutoMinorVersionUpgrade BacktrackWindow"
    " CertificateDetails.** DBClusterInstanceClass DBClusterOptionGroupMemberships.**"
    " DatabaseInsightsMode EngineLifecycleSupport Iops LimitlessDatabase.**"
    " LocalWriteForwardingStatus MonitoringInterval MonitoringRoleArn NetworkType"
    " PerformanceInsightsEnabled PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod"
    " PreferredBackupWindow PreferredMaintenanceWindow ScalingConfigurationInfo.**"
    " ServerlessV2ScalingConfiguration ServerlessV2ScalingConfiguration.SecondsUntilAutoPause"
    " StorageThroughput StorageType",
)
DB_INSTANCE = Members(
    ("rds DescribeDBInstances DBInstances",),
    ours="DBInstanceClass",
    # The order in which instances are promoted to writer: 1 if not set (botocore rds CreateDBInstance).
    defaults=(Default("PubliclyAccessible", value=False), Default("PromotionTier", 1)),
    renamed="PerformanceInsightsEnabled",
    born="CharacterSetName CustomIamInstanceProfile CustomerOwnedIpEnabled DBClusterIdentifier"
    " DBInstanceIdentifier DBName DBSystemId Engine MultiTenant NcharCharacterSetName"
    " StorageEncrypted StorageEncryptionType Timezone",
    others=(
        Theirs("AWS, which placed it", "AvailabilityZone SecondaryAvailabilityZone"),
        Theirs("AWS, which upgrades minor versions", "EngineVersion"),
        Theirs(
            "its cluster",
            "ActivityStreamEngineNativeAuditFieldsIncluded ActivityStreamKinesisStreamName"
            " ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamPolicyStatus"
            " ActivityStreamStatus AllocatedStorage AssociatedRoles.** BackupRetentionPeriod"
            " BackupTarget CopyTagsToSnapshot DBSubnetGroup.** DatabaseInsightsMode"
            " DeletionProtection DomainMemberships.** EnabledCloudwatchLogsExports"
            " EngineLifecycleSupport IAMDatabaseAuthenticationEnabled KmsKeyId MasterUserSecret.**"
            " MasterUsername MultiAZ NetworkType PreferredBackupWindow StorageThroughput StorageType"
            " TdeCredentialArn VpcSecurityGroups.** Iops",
        ),
        Theirs("the organisation, whose upgrades come in an order", "UpgradeRolloutOrder"),
        Theirs("AWS Backup", "AwsBackupRecoveryPointArn"),
    ),
    aws="AutomaticRestartTime CertificateDetails.** DBCapacityReservationIdentifier DBInstanceArn"
    " DBInstanceAutomatedBackupsReplications.** DBInstanceStatus DBSecurityGroups.** DbInstancePort"
    " DbiResourceId Endpoint.** EnhancedMonitoringResourceArn InstanceCreateTime"
    " IsStorageConfigUpgradeAvailable LatestRestorableTime ListenerEndpoint.**"
    " PendingModifiedValues.** PercentProgress ReadReplicaDBClusterIdentifiers"
    " ReadReplicaDBInstanceIdentifiers ReadReplicaSourceDBClusterIdentifier"
    " ReadReplicaSourceDBInstanceIdentifier ReplicaMode ResumeFullAutomationModeTime StatusInfos.**"
    " StorageOperationPercentProgress StorageOperationStatus StorageVolumeStatus",
    nobody="AdditionalStorageVolumes.** AutoMinorVersionUpgrade AutomationMode CACertificateIdentifier"
    " DBParameterGroups.** DedicatedLogVolume LicenseModel MaxAllocatedStorage MonitoringInterval"
    " MonitoringRoleArn OptionGroupMemberships.** PerformanceInsightsKMSKeyId"
    " PerformanceInsightsRetentionPeriod PreferredMaintenanceWindow ProcessorFeatures.**",
)
TABLE = Members(
    ("dynamodb DescribeTable Table",),
    ours="DeletionProtectionEnabled KeySchema.** TableName",
    renamed="AttributeDefinitions.** BillingModeSummary.** SSEDescription.**",
    # DynamoDB refuses requests beyond these (API reference, OnDemandThroughput; -1 is no limit).
    defaults=(Default("OnDemandThroughput", {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}),),
    # Indexes and replicas are read beside the table.
    inside="GlobalSecondaryIndexes.** Replicas.** VectorIndexes.**",
    born="LocalSecondaryIndexes.** MultiRegionConsistency",
    others=(
        Theirs(
            "the global table",
            "DisassociationProtectionEnabled GlobalTableSettingsReplicationMode"
            " GlobalTableVersion GlobalTableWitnesses.**",
        ),
    ),
    aws="ArchivalSummary.** CreationDateTime ItemCount LatestStreamArn LatestStreamLabel"
    " ProvisionedThroughput.LastDecreaseDateTime ProvisionedThroughput.LastIncreaseDateTime"
    " ProvisionedThroughput.NumberOfDecreasesToday RestoreSummary.** TableArn TableId TableSizeBytes"
    " TableStatus WarmThroughput.**",
    nobody="ProvisionedThroughput ProvisionedThroughput.ReadCapacityUnits"
    " ProvisionedThroughput.WriteCapacityUnits StreamSpecification.** TableClassSummary.**",
)
TTL = Members(("dynamodb DescribeTimeToLive TimeToLiveDescription",), renamed="AttributeName TimeToLiveStatus")
BACKUPS = Members(
    ("dynamodb DescribeContinuousBackups ContinuousBackupsDescription",),
    renamed="PointInTimeRecoveryDescription PointInTimeRecoveryDescription.PointInTimeRecoveryStatus",
    aws="ContinuousBackupsStatus PointInTimeRecoveryDescription.EarliestRestorableDateTime"
    " PointInTimeRecoveryDescription.LatestRestorableDateTime",
    nobody="PointInTimeRecoveryDescription.RecoveryPeriodInDays",
)
