"""Field ownership of the ECS cluster, task definitions and services, and of their scaling."""

from __future__ import annotations

from provisioner.engine.types.field_ownership import Default, FieldOwnership, ForeignFields

CLUSTER = FieldOwnership(
    ("ecs DescribeClusters clusters",),
    ours="capacityProviders configuration.executeCommandConfiguration.**"
    " defaultCapacityProviderStrategy.** settings.**",
    defaults=(Default("configuration.executeCommandConfiguration.logging", "DEFAULT"),),
    create_only="clusterName",
    read_only="activeServicesCount attachments.** attachmentsStatus clusterArn pendingTasksCount"
    " registeredContainerInstancesCount runningTasksCount statistics.** status",
    # Only new services use it.
    unowned="configuration configuration.managedStorageConfiguration.** serviceConnectDefaults.**",
)
# A revision never changes: all of it was set when it was registered.
TASK_DEFINITION = FieldOwnership(
    ("ecs DescribeTaskDefinition taskDefinition",),
    create_only="containerDefinitions.** cpu enableFaultInjection ephemeralStorage.** executionRoleArn"
    " family inferenceAccelerators.** ipcMode memory networkMode pidMode placementConstraints.**"
    " proxyConfiguration.** requiresCompatibilities runtimePlatform.** taskRoleArn"
    " trustedExecutionConfiguration.** volumes.**",
    read_only="compatibilities deleteRequestedAt deregisteredAt registeredAt registeredBy"
    " requiresAttributes.** revision status taskDefinitionArn",
)
# The owner of an ECS deployment strategy, by which ECS itself shifts traffic.
STRATEGIST = "ECS's own strategy, set by somebody"
_STRATEGY = (
    "strategy",
    "bakeTimeInMinutes",
    "lifecycleHooks.**",
    "linearConfiguration.**",
    "canaryConfiguration.**",
)
SERVICE = FieldOwnership(
    ("ecs DescribeServices services",),
    ours="capacityProviderStrategy.** deploymentConfiguration.deploymentCircuitBreaker.enable"
    " deploymentConfiguration.deploymentCircuitBreaker.rollback"
    " deploymentConfiguration.maximumPercent deploymentConfiguration.minimumHealthyPercent"
    " enableECSManagedTags enableExecuteCommand healthCheckGracePeriodSeconds"
    " loadBalancers.containerName loadBalancers.containerPort loadBalancers.targetGroupArn"
    " loadBalancers networkConfiguration.** serviceName taskDefinition",
    # How the service is discovered, and what its traffic passes; AWS returns these of its newest deployment.
    defaults=(
        Default("serviceRegistries", []),
        Default("serviceConnectConfiguration", {"enabled": False}),
        Default("vpcLatticeConfigurations", []),
        Default("volumeConfigurations", []),
        Default("propagateTags", "NONE"),
    ),
    renamed="clusterArn deployments.serviceConnectConfiguration.** deployments.volumeConfigurations.**"
    " deployments.vpcLatticeConfigurations.**",
    create_only="deploymentController.** launchType schedulingStrategy",
    foreign=(
        ForeignFields("autoscaling", "desiredCount"),
        ForeignFields(
            STRATEGIST,
            "loadBalancers.advancedConfiguration.** " + " ".join(f"deploymentConfiguration.{key}" for key in _STRATEGY),
        ),
        ForeignFields("CodeDeploy, or another deployer", "taskSets.**"),
    ),
    read_only="createdAt createdBy currentServiceDeployment currentServiceRevisions.** deployments.**"
    " events.** loadBalancers.loadBalancerName pendingCount platformFamily resourceManagementType"
    " roleArn runningCount serviceArn status",
    unowned="availabilityZoneRebalancing deploymentConfiguration deploymentConfiguration.alarms.**"
    " deploymentConfiguration.deploymentCircuitBreaker"
    " deploymentConfiguration.deploymentCircuitBreaker.resetOnHealthyTask"
    " deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration.**"
    " deploymentConfiguration.earlySuccessCriteria.** placementConstraints.** placementStrategy.**"
    " platformVersion",
)
SCALABLE_TARGET = FieldOwnership(
    ("application-autoscaling DescribeScalableTargets ScalableTargets",),
    ours="MaxCapacity MinCapacity ResourceId ScalableDimension ServiceNamespace SuspendedState.**",
    read_only="CreationTime PredictedCapacity RoleARN ScalableTargetARN",
)
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
SCALING_POLICY = FieldOwnership(
    ("application-autoscaling DescribeScalingPolicies ScalingPolicies",),
    ours=f"{_TRACKING}.CustomizedMetricSpecification.** {_TRACKING}.DisableScaleIn"
    f" {_TRACKING}.PredefinedMetricSpecification.** {_TRACKING}.ScaleInCooldown"
    f" {_TRACKING}.ScaleOutCooldown {_TRACKING}.TargetValue {_TRACKING} PolicyName PolicyType"
    " ResourceId ScalableDimension ServiceNamespace",
    create_only="PredictiveScalingPolicyConfiguration.** StepScalingPolicyConfiguration.**",
    read_only="Alarms.** CreationTime PolicyARN",
)
