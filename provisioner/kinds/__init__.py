"""How AWS does one sort of thing, a module per service; `KINDS` knows each by the name in the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.engine.kind import Kind
from provisioner.kinds import (
    autoscaling,
    cloudfront,
    cloudwatch,
    deliveries,
    dynamodb,
    events,
    iam,
    kms,
    logs,
    managed_policy,
    s3,
    secretsmanager,
    sns,
    wafv2,
)
from provisioner.kinds.ec2 import default_group, endpoints, flow_logs, groups, nat, routes, vpc
from provisioner.kinds.ecs import cluster, service, tasks
from provisioner.kinds.elbv2 import balancer, listeners
from provisioner.kinds.elbv2 import groups as targets
from provisioner.kinds.rds import aurora, instances
from provisioner.kinds.rds import groups as database

_CLASSES: tuple[type[Kind], ...] = (
    vpc.Vpc,
    vpc.DnsSupport,
    vpc.DnsHostnames,
    vpc.Subnet,
    vpc.InternetGateway,
    vpc.GatewayAttachment,
    nat.ElasticIp,
    nat.NatGateway,
    routes.RouteTable,
    routes.Route,
    routes.RouteTableAssociation,
    endpoints.VpcEndpoint,
    endpoints.InterfaceEndpoint,
    groups.SecurityGroup,
    groups.NoDefaultEgress,
    groups.IngressRule,
    groups.EgressRule,
    default_group.BareDefaultIngress,
    default_group.BareDefaultEgress,
    flow_logs.FlowLog,
    logs.LogGroup,
    logs.ServiceLogGroup,
    logs.Retention,
    iam.Role,
    iam.RolePolicy,
    iam.ServiceLinkedRole,
    managed_policy.Boundary,
    kms.Key,
    kms.EdgeKey,
    kms.KeyAlias,
    kms.KeyRotation,
    secretsmanager.Secret,
    secretsmanager.Rotation,
    database.DBSubnetGroup,
    database.DBClusterParameterGroup,
    database.DBClusterParameters,
    aurora.DBCluster,
    instances.DBInstance,
    dynamodb.Table,
    dynamodb.TimeToLive,
    dynamodb.PointInTimeRecovery,
    balancer.LoadBalancer,
    balancer.LoadBalancerAttributes,
    targets.TargetGroup,
    targets.TargetGroupAttributes,
    listeners.Listener,
    listeners.ListenerRule,
    cluster.Cluster,
    tasks.TaskDefinition,
    service.Service,
    autoscaling.ScalableTarget,
    autoscaling.ScalingPolicy,
    cloudfront.Distribution,
    wafv2.WebACL,
    wafv2.WebACLLog,
    s3.Bucket,
    s3.PublicAccessBlock,
    s3.BucketEncryption,
    s3.BucketLifecycle,
    s3.BucketPolicy,
    deliveries.DeliverySource,
    deliveries.DeliveryDestination,
    deliveries.Delivery,
    sns.Topic,
    sns.TopicPolicy,
    sns.Subscription,
    cloudwatch.Alarm,
    cloudwatch.Dashboard,
    events.EventRule,
    events.EventTarget,
)

KINDS: Mapping[str, Kind] = {kind.__name__: kind() for kind in _CLASSES}
