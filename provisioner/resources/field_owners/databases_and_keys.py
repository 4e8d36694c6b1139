"""Field ownership of databases, tables, keys and secrets."""

from __future__ import annotations

from provisioner.engine.types.field_ownership import Default, FieldOwnership, ForeignFields

KEY = FieldOwnership(
    ("kms DescribeKey KeyMetadata", "kms GetKeyPolicy"),
    ours="Description Policy",
    unowned="Policy.Id",
    create_only="CloudHsmClusterId CustomKeyStoreId CustomerMasterKeySpec KeySpec KeyUsage MultiRegion Origin"
    " XksKeyConfiguration.**",
    read_only="AWSAccountId Arn CreationDate CurrentKeyMaterialId DeletionDate Enabled EncapsulationAlgorithms"
    " EncryptionAlgorithms ExpirationModel KeyAgreementAlgorithms KeyId KeyManager KeyState MacAlgorithms"
    " MultiRegionConfiguration.** PendingDeletionWindowInDays PolicyName SigningAlgorithms ValidTo",
)
KEY_ALIAS = FieldOwnership(
    ("kms ListAliases Aliases",),
    ours="AliasName TargetKeyId",
    read_only="AliasArn CreationDate LastUpdatedDate",
)
KEY_ROTATION = FieldOwnership(
    ("kms GetKeyRotationStatus",),
    ours="KeyRotationEnabled",
    read_only="KeyId NextRotationDate OnDemandRotationStartDate",
    unowned="RotationPeriodInDays",
)
SECRET = FieldOwnership(
    ("secretsmanager DescribeSecret",),
    ours="Description Name",
    # AWS returns no key for the AWS managed one.
    defaults=(Default("KmsKeyId", "alias/aws/secretsmanager"),),
    as_children="CrossAccountReplicas.** ReplicationStatus.** RotationEnabled RotationLambdaARN RotationRules.**",
    foreign=(
        ForeignFields("the service that made it", "OwningService"),
        ForeignFields("the partner that rotates it", "ExternalSecretRotationMetadata.** ExternalSecretRotationRoleArn"),
        ForeignFields("the secret that it is a copy of", "CrossAccountPrimary.** PrimaryRegion"),
    ),
    create_only="Type",
    read_only="ARN CreatedDate DeletedDate LastAccessedDate LastChangedDate LastRotatedDate NextRotationDate"
    " VersionIdsToStages.**",
)
ROTATION = FieldOwnership(
    ("secretsmanager DescribeSecret",),
    ours="RotationRules.AutomaticallyAfterDays",
    renamed="ARN",
    foreign=(
        ForeignFields(
            "RDS, whose secret it is",
            "CrossAccountPrimary.** CrossAccountReplicas.** Description ExternalSecretRotationMetadata.**"
            " ExternalSecretRotationRoleArn KmsKeyId Name OwningService PrimaryRegion ReplicationStatus.**"
            " RotationLambdaARN Type",
        ),
    ),
    read_only="CreatedDate DeletedDate LastAccessedDate LastChangedDate LastRotatedDate NextRotationDate"
    " RotationEnabled VersionIdsToStages.**",
    unowned="RotationRules.Duration RotationRules.ScheduleExpression RotationRules",
)
DB_SUBNETS = FieldOwnership(
    ("rds DescribeDBSubnetGroups DBSubnetGroups",),
    ours="DBSubnetGroupDescription DBSubnetGroupName",
    renamed="Subnets.**",
    read_only="DBSubnetGroupArn SubnetGroupStatus SupportedNetworkTypes VpcId",
)
DB_PARAMETER_GROUP = FieldOwnership(
    ("rds DescribeDBClusterParameterGroups DBClusterParameterGroups",),
    create_only="DBClusterParameterGroupName DBParameterGroupFamily Description",
    read_only="DBClusterParameterGroupArn",
)
DB_PARAMETERS = FieldOwnership(
    ("rds DescribeDBClusterParameters Parameters",),
    renamed="ParameterName ParameterValue",
    read_only="AllowedValues ApplyMethod ApplyType DataType Description IsModifiable MinimumEngineVersion Source"
    " SupportedEngineModes",
)
DB_CLUSTER = FieldOwnership(
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
    as_children="DBClusterMembers.**",
    # ModifyDBCluster does not accept these (botocore rds).
    create_only="AvailabilityZones CharacterSetName CloneGroupId ClusterScalabilityType DBClusterIdentifier"
    " DBSystemId DatabaseName Engine EngineMode InternetAccessGatewayEnabled KmsKeyId MasterUsername"
    " PubliclyAccessible RdsCustomClusterConfiguration.** StorageEncrypted StorageEncryptionType"
    " VPCNetworkingEnabled",
    foreign=(
        ForeignFields("AWS, which upgrades minor versions", "EngineVersion"),
        ForeignFields(
            "who has its activity recorded",
            "ActivityStreamKinesisStreamName ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamStatus",
        ),
        ForeignFields(
            "the global database",
            "GlobalClusterIdentifier GlobalWriteForwardingRequested"
            " GlobalWriteForwardingStatus ReplicationSourceIdentifier ReadReplicaIdentifiers",
        ),
        ForeignFields("the organisation, whose upgrades come in an order", "UpgradeRolloutOrder"),
        ForeignFields("AWS Backup", "AwsBackupRecoveryPointArn"),
    ),
    read_only="AutomaticRestartTime BacktrackConsumedChangeRecords Capacity ClusterCreateTime"
    " CrossAccountClone CustomEndpoints DBClusterArn DbClusterResourceId EarliestBacktrackTime"
    " EarliestRestorableTime Endpoint HostedZoneId IOOptimizedNextAllowedModificationTime"
    " LatestRestorableTime MultiAZ PendingModifiedValues.** PercentProgress ReaderEndpoint"
    " ServerlessV2PlatformVersion Status StatusInfos.**",
    unowned="AllocatedStorage AutoMinorVersionUpgrade BacktrackWindow"
    " CertificateDetails.** DBClusterInstanceClass DBClusterOptionGroupMemberships.**"
    " DatabaseInsightsMode EngineLifecycleSupport Iops LimitlessDatabase.**"
    " LocalWriteForwardingStatus MonitoringInterval MonitoringRoleArn NetworkType"
    " PerformanceInsightsEnabled PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod"
    " PreferredBackupWindow PreferredMaintenanceWindow ScalingConfigurationInfo.**"
    " ServerlessV2ScalingConfiguration ServerlessV2ScalingConfiguration.SecondsUntilAutoPause"
    " StorageThroughput StorageType",
)
DB_INSTANCE = FieldOwnership(
    ("rds DescribeDBInstances DBInstances",),
    ours="DBInstanceClass",
    # The order in which instances are promoted to writer: 1 if not set (botocore rds CreateDBInstance).
    defaults=(Default("PubliclyAccessible", value=False), Default("PromotionTier", 1)),
    renamed="PerformanceInsightsEnabled",
    create_only="CharacterSetName CustomIamInstanceProfile CustomerOwnedIpEnabled DBClusterIdentifier"
    " DBInstanceIdentifier DBName DBSystemId Engine MultiTenant NcharCharacterSetName"
    " StorageEncrypted StorageEncryptionType Timezone",
    foreign=(
        ForeignFields("AWS, which placed it", "AvailabilityZone SecondaryAvailabilityZone"),
        ForeignFields("AWS, which upgrades minor versions", "EngineVersion"),
        ForeignFields(
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
        ForeignFields("the organisation, whose upgrades come in an order", "UpgradeRolloutOrder"),
        ForeignFields("AWS Backup", "AwsBackupRecoveryPointArn"),
    ),
    read_only="AutomaticRestartTime CertificateDetails.** DBCapacityReservationIdentifier DBInstanceArn"
    " DBInstanceAutomatedBackupsReplications.** DBInstanceStatus DBSecurityGroups.** DbInstancePort"
    " DbiResourceId Endpoint.** EnhancedMonitoringResourceArn InstanceCreateTime"
    " IsStorageConfigUpgradeAvailable LatestRestorableTime ListenerEndpoint.**"
    " PendingModifiedValues.** PercentProgress ReadReplicaDBClusterIdentifiers"
    " ReadReplicaDBInstanceIdentifiers ReadReplicaSourceDBClusterIdentifier"
    " ReadReplicaSourceDBInstanceIdentifier ReplicaMode ResumeFullAutomationModeTime StatusInfos.**"
    " StorageOperationPercentProgress StorageOperationStatus StorageVolumeStatus",
    unowned="AdditionalStorageVolumes.** AutoMinorVersionUpgrade AutomationMode CACertificateIdentifier"
    " DBParameterGroups.** DedicatedLogVolume LicenseModel MaxAllocatedStorage MonitoringInterval"
    " MonitoringRoleArn OptionGroupMemberships.** PerformanceInsightsKMSKeyId"
    " PerformanceInsightsRetentionPeriod PreferredMaintenanceWindow ProcessorFeatures.**",
)
TABLE = FieldOwnership(
    ("dynamodb DescribeTable Table",),
    ours="DeletionProtectionEnabled KeySchema.** TableName",
    renamed="AttributeDefinitions.** BillingModeSummary.** SSEDescription.**",
    # DynamoDB refuses requests beyond these (API reference, OnDemandThroughput; -1 is no limit).
    defaults=(Default("OnDemandThroughput", {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}),),
    # Indexes and replicas are read beside the table.
    as_children="GlobalSecondaryIndexes.** Replicas.** VectorIndexes.**",
    create_only="LocalSecondaryIndexes.** MultiRegionConsistency",
    foreign=(
        ForeignFields(
            "the global table",
            "DisassociationProtectionEnabled GlobalTableSettingsReplicationMode"
            " GlobalTableVersion GlobalTableWitnesses.**",
        ),
    ),
    read_only="ArchivalSummary.** CreationDateTime ItemCount LatestStreamArn LatestStreamLabel"
    " ProvisionedThroughput.LastDecreaseDateTime ProvisionedThroughput.LastIncreaseDateTime"
    " ProvisionedThroughput.NumberOfDecreasesToday RestoreSummary.** TableArn TableId TableSizeBytes"
    " TableStatus WarmThroughput.**",
    unowned="ProvisionedThroughput ProvisionedThroughput.ReadCapacityUnits"
    " ProvisionedThroughput.WriteCapacityUnits StreamSpecification.** TableClassSummary.**",
)
TTL = FieldOwnership(("dynamodb DescribeTimeToLive TimeToLiveDescription",), renamed="AttributeName TimeToLiveStatus")
BACKUPS = FieldOwnership(
    ("dynamodb DescribeContinuousBackups ContinuousBackupsDescription",),
    renamed="PointInTimeRecoveryDescription PointInTimeRecoveryDescription.PointInTimeRecoveryStatus",
    read_only="ContinuousBackupsStatus PointInTimeRecoveryDescription.EarliestRestorableDateTime"
    " PointInTimeRecoveryDescription.LatestRestorableDateTime",
    unowned="PointInTimeRecoveryDescription.RecoveryPeriodInDays",
)
