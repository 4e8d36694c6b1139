"""How AWS does one sort of thing, a module per service; `KINDS` knows each by the name in the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.engine.kind import Kind
from provisioner.kinds import autoscaling, cloudfront, dynamodb, ecs, elbv2, iam, logs, rds, secretsmanager
from provisioner.kinds.ec2 import groups, nat, routes, vpc

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
    routes.VpcEndpoint,
    groups.SecurityGroup,
    groups.NoDefaultEgress,
    groups.IngressRule,
    groups.EgressRule,
    logs.LogGroup,
    logs.ServiceLogGroup,
    logs.Retention,
    iam.Role,
    iam.RolePolicy,
    iam.ServiceLinkedRole,
    secretsmanager.Secret,
    rds.DBSubnetGroup,
    rds.DBClusterParameterGroup,
    rds.DBClusterParameters,
    rds.DBCluster,
    rds.DBInstance,
    dynamodb.Table,
    dynamodb.TimeToLive,
    dynamodb.PointInTimeRecovery,
    elbv2.LoadBalancer,
    elbv2.LoadBalancerAttributes,
    elbv2.TargetGroup,
    elbv2.TargetGroupAttributes,
    elbv2.Listener,
    elbv2.ListenerRule,
    ecs.Cluster,
    ecs.TaskDefinition,
    ecs.Service,
    autoscaling.ScalableTarget,
    autoscaling.ScalingPolicy,
    cloudfront.Distribution,
)

KINDS: Mapping[str, Kind] = {kind.__name__: kind() for kind in _CLASSES}
