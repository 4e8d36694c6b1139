"""What somebody adds by hand to members that are ours and that no setting states."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.hands import CLUSTER, DATABASE, SERVICE, TABLE, TASK_ROLE, TASKS_LOG, settle
from tests.standing import ACCOUNT, Standing, tags

Doc = dict[str, Any]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/somebody"
STORE = f"arn:aws:cloudfront::{ACCOUNT}:trust-store/ts_1"


@dataclass(frozen=True)
class Added:
    """One deed, the node that it is done to, and the members that `drift` is to name."""

    node: str
    paths: tuple[str, ...]
    act: Callable[[Standing], Any]


def _rule(path: str, **changed: Any) -> Callable[[Standing], Any]:
    return lambda stack: stack.aws("elbv2").modify_rule(RuleArn=stack.rules[path]["RuleArn"], **changed)


def _forward(path: str, weight: int, **config: Any) -> Callable[[Standing], Any]:
    def act(stack: Standing) -> None:
        group = {"TargetGroupArn": stack.target_group["TargetGroupArn"], "Weight": weight}
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [group], **config}}
        stack.aws("elbv2").modify_rule(RuleArn=stack.rules[path]["RuleArn"], Actions=[forward])

    return act


def _listener(stack: Standing) -> None:
    trusted = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:truststore/t/1"
    stack.aws("elbv2").modify_listener(
        ListenerArn=stack.listener["ListenerArn"],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": trusted},
    )


def _balancer(stack: Standing) -> None:
    keys = {"routing.http.xff_header_processing.mode": "remove", "routing.http2.enabled": "false"}
    stack.aws("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=stack.balancer["LoadBalancerArn"],
        Attributes=[{"Key": key, "Value": value} for key, value in keys.items()],
    )


def _targets(stack: Standing) -> None:
    elbv2, arn = stack.aws("elbv2"), stack.target_group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}]
    )
    elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckPort="9999")


def _subnet(stack: Standing) -> None:
    subnets = stack.ec2("describe_subnets", "Subnets")
    mine = next(one["SubnetId"] for one in subnets if tags(one["Tags"])["ml-api:node"] == "public-1")
    for attribute in ("AssignIpv6AddressOnCreation", "EnableDns64"):
        stack.aws("ec2").modify_subnet_attribute(SubnetId=mine, **{attribute: {"Value": True}})


def _endpoint(stack: Standing) -> None:
    listed = stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in listed if one["ServiceName"].endswith(".s3"))
    nobody = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    stack.aws("ec2").modify_vpc_endpoint(VpcEndpointId=mine, PolicyDocument=json.dumps(nobody))


def _bearer(stack: Standing) -> None:
    stack.aws("logs").put_bearer_token_authentication(
        logGroupIdentifier=TASKS_LOG, bearerTokenAuthenticationEnabled=True
    )


def _boundary(stack: Standing) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    stack.aws("iam").put_role_permissions_boundary(RoleName=TASK_ROLE, PermissionsBoundary=arn)


def _database(stack: Standing) -> None:
    rds = stack.aws("rds")
    rds.modify_db_cluster(DBClusterIdentifier=DATABASE, Domain="d-1234567890", Port=5433)
    rds.modify_db_cluster(DBClusterIdentifier=DATABASE, EnableIAMDatabaseAuthentication=True)
    rds.add_role_to_db_cluster(DBClusterIdentifier=DATABASE, RoleArn=ROLE, FeatureName="s3Export")
    rds.enable_http_endpoint(ResourceArn=stack.cluster["DBClusterArn"])


def _instance(stack: Standing) -> None:
    writer = stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    stack.aws("rds").modify_db_instance(
        DBInstanceIdentifier=writer, PubliclyAccessible=True, PromotionTier=15, ApplyImmediately=True
    )


def _service(stack: Standing) -> None:
    lattice = {
        "roleArn": ROLE,
        "targetGroupArn": f"arn:aws:vpc-lattice:us-east-1:{ACCOUNT}:targetgroup/tg-1",
        "portName": "http",
    }
    registry = f"arn:aws:servicediscovery:us-east-1:{ACCOUNT}:service/srv-1"
    stack.aws("ecs").update_service(
        cluster=CLUSTER,
        service=SERVICE,
        serviceConnectConfiguration={"enabled": True, "namespace": "theirs"},
        vpcLatticeConfigurations=[lattice],
        serviceRegistries=[{"registryArn": registry}],
    )


def _cluster(stack: Standing) -> None:
    logged = {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "elsewhere"}}
    stack.aws("ecs").update_cluster(cluster=CLUSTER, configuration={"executeCommandConfiguration": logged})


def _table(stack: Standing) -> None:
    stack.aws("dynamodb").update_table(
        TableName=TABLE, OnDemandThroughput={"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}
    )


def _edge(stack: Standing) -> None:
    """All that can be added to a distribution; Staging is said at its making alone."""
    cloudfront = stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    now = cloudfront.get_distribution_config(Id=id_)
    config = {**now["DistributionConfig"], **_ADDED_TO_CONFIG}
    config["DefaultCacheBehavior"] = {**config["DefaultCacheBehavior"], **_ADDED_TO_BEHAVIOUR}
    (origin,) = config["Origins"]["Items"]
    custom = {**origin["CustomOriginConfig"], "OriginMtlsConfig": {"ClientCertificateArn": "arn:1"}}
    origin = {**origin, **_ADDED_TO_ORIGIN, "CustomOriginConfig": custom}
    config["Origins"] = {"Quantity": 1, "Items": [origin]}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def _one(value: Any) -> Doc:
    return {"Quantity": 1, "Items": [value]}


_FUNCTION = f"arn:aws:cloudfront::{ACCOUNT}:function/theirs"
_LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:theirs:1"
_ADDED_TO_CONFIG: Doc = {
    "ViewerMtlsConfig": {
        "Mode": "required",
        "TrustStoreConfig": {"TrustStoreId": STORE, "AdvertiseTrustStoreCaNames": False},
    },
    "ConnectionFunctionAssociation": {"Id": "cf-1"},
    "ConnectionMode": "tenant-only",
    "Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", **_one("DE")}},
    "DefaultRootObject": "theirs.html",
    "AnycastIpListId": "aip-1",
    "ContinuousDeploymentPolicyId": "cdp-1",
    "TenantConfig": {"ParameterDefinitions": [{"Name": "t", "Definition": {"StringSchema": {"Required": True}}}]},
}
_ADDED_TO_BEHAVIOUR: Doc = {
    "FunctionAssociations": _one({"FunctionARN": _FUNCTION, "EventType": "viewer-request"}),
    "LambdaFunctionAssociations": _one({"LambdaFunctionARN": _LAMBDA, "EventType": "origin-request"}),
    "TrustedKeyGroups": {"Enabled": True, **_one("kg-1")},
    "TrustedSigners": {"Enabled": True, **_one(ACCOUNT)},
    "FieldLevelEncryptionId": "fle-1",
    "GrpcConfig": {"Enabled": True},
    "SmoothStreaming": True,
}
_ADDED_TO_ORIGIN: Doc = {
    "OriginAccessControlId": "oac-1",
    "OriginPath": "/theirs",
    "OriginShield": {"Enabled": True, "OriginShieldRegion": "us-east-1"},
}
_REWRITE = {
    "Type": "url-rewrite",
    "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/api/(.*)$", "Replace": "/$1"}]},
}
_STICKY = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}

ADDITIONS = [
    # Before the targets are asked elsewhere: ECS would go back by itself.
    Added(
        "service",
        ("serviceConnectConfiguration", "serviceRegistries", "vpcLatticeConfigurations"),
        _service,
    ),
    Added("rule-api-v1", ("Transforms",), _rule("/api/v1/*", Transforms=[_REWRITE])),
    Added("rule-api-v2", ("Actions",), _forward("/api/v2/*", 0)),
    Added("listener-80", ("MutualAuthentication",), _listener),
    Added(
        "alb-attributes",
        (
            "Attributes.routing.http.xff_header_processing.mode",
            "Attributes.routing.http2.enabled",
        ),
        _balancer,
    ),
    Added("tg-attributes", ("Attributes.stickiness.enabled",), _targets),
    Added("tg", ("HealthCheckPort",), lambda _: None),
    Added("public-1", ("AssignIpv6AddressOnCreation", "EnableDns64"), _subnet),
    Added("endpoint-s3", ("PolicyDocument",), _endpoint),
    Added("ecs-logs", ("bearerTokenAuthenticationEnabled",), _bearer),
    Added("task-role", ("PermissionsBoundary",), _boundary),
    Added(
        "aurora",
        (
            "AssociatedRoles",
            "DomainMemberships",
            "EnableIAMDatabaseAuthentication",
            "HttpEndpointEnabled",
            "Port",
        ),
        _database,
    ),
    Added("writer", ("PromotionTier", "PubliclyAccessible"), _instance),
    Added("cluster", ("configuration",), _cluster),
    Added("sessions", ("OnDemandThroughput",), _table),
    Added(
        "edge",
        (
            *_ADDED_TO_CONFIG,
            *(f"DefaultCacheBehavior.{key}" for key in _ADDED_TO_BEHAVIOUR),
            "Origins.Items",
        ),
        _edge,
    ),
]
