"""What somebody adds by hand to members that are ours and that no setting states."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.live_stack import ACCOUNT, LiveStack, tags
from tests.support.manual_changes import CLUSTER, DATABASE, SERVICE, TABLE, TASK_ROLE, TASKS_LOG, settle

JsonObject = dict[str, Any]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/somebody"
STORE = f"arn:aws:cloudfront::{ACCOUNT}:trust-store/ts_1"


@dataclass(frozen=True)
class ManualAddition:
    """One deed, the node that it is done to, and the members that `drift` is to name."""

    node: str
    paths: tuple[str, ...]
    act: Callable[[LiveStack], Any]


def _rule(path: str, **changed: Any) -> Callable[[LiveStack], Any]:
    return lambda live_stack: live_stack.aws("elbv2").modify_rule(RuleArn=live_stack.rules[path]["RuleArn"], **changed)


def _forward(path: str, weight: int, **config: Any) -> Callable[[LiveStack], Any]:
    def act(live_stack: LiveStack) -> None:
        group = {"TargetGroupArn": live_stack.target_group["TargetGroupArn"], "Weight": weight}
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [group], **config}}
        live_stack.aws("elbv2").modify_rule(RuleArn=live_stack.rules[path]["RuleArn"], Actions=[forward])

    return act


def _listener(live_stack: LiveStack) -> None:
    trusted = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:truststore/t/1"
    live_stack.aws("elbv2").modify_listener(
        ListenerArn=live_stack.listener["ListenerArn"],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": trusted},
    )


def _balancer(live_stack: LiveStack) -> None:
    keys = {"routing.http.xff_header_processing.mode": "remove", "routing.http2.enabled": "false"}
    live_stack.aws("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=live_stack.balancer["LoadBalancerArn"],
        Attributes=[{"Key": key, "Value": value} for key, value in keys.items()],
    )


def _targets(live_stack: LiveStack) -> None:
    elbv2, arn = live_stack.aws("elbv2"), live_stack.target_group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}]
    )
    elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckPort="9999")


def _subnet(live_stack: LiveStack) -> None:
    subnets = live_stack.ec2("describe_subnets", "Subnets")
    mine = next(one["SubnetId"] for one in subnets if tags(one["Tags"])["ml-api:node"] == "public-1")
    for attribute in ("AssignIpv6AddressOnCreation", "EnableDns64"):
        live_stack.aws("ec2").modify_subnet_attribute(SubnetId=mine, **{attribute: {"Value": True}})


def _endpoint(live_stack: LiveStack) -> None:
    listed = live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in listed if one["ServiceName"].endswith(".s3"))
    nobody = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    live_stack.aws("ec2").modify_vpc_endpoint(VpcEndpointId=mine, PolicyDocument=json.dumps(nobody))


def _bearer(live_stack: LiveStack) -> None:
    live_stack.aws("logs").put_bearer_token_authentication(
        logGroupIdentifier=TASKS_LOG, bearerTokenAuthenticationEnabled=True
    )


def _boundary(live_stack: LiveStack) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    live_stack.aws("iam").put_role_permissions_boundary(RoleName=TASK_ROLE, PermissionsBoundary=arn)


def _database(live_stack: LiveStack) -> None:
    rds = live_stack.aws("rds")
    rds.modify_db_cluster(DBClusterIdentifier=DATABASE, Domain="d-1234567890", Port=5433)
    rds.modify_db_cluster(DBClusterIdentifier=DATABASE, EnableIAMDatabaseAuthentication=True)
    rds.add_role_to_db_cluster(DBClusterIdentifier=DATABASE, RoleArn=ROLE, FeatureName="s3Export")
    rds.enable_http_endpoint(ResourceArn=live_stack.cluster["DBClusterArn"])


def _instance(live_stack: LiveStack) -> None:
    writer = live_stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    live_stack.aws("rds").modify_db_instance(
        DBInstanceIdentifier=writer, PubliclyAccessible=True, PromotionTier=15, ApplyImmediately=True
    )


def _service(live_stack: LiveStack) -> None:
    lattice = {
        "roleArn": ROLE,
        "targetGroupArn": f"arn:aws:vpc-lattice:us-east-1:{ACCOUNT}:targetgroup/tg-1",
        "portName": "http",
    }
    registry = f"arn:aws:servicediscovery:us-east-1:{ACCOUNT}:service/srv-1"
    live_stack.aws("ecs").update_service(
        cluster=CLUSTER,
        service=SERVICE,
        serviceConnectConfiguration={"enabled": True, "namespace": "theirs"},
        vpcLatticeConfigurations=[lattice],
        serviceRegistries=[{"registryArn": registry}],
    )


def _cluster(live_stack: LiveStack) -> None:
    logged = {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "elsewhere"}}
    live_stack.aws("ecs").update_cluster(cluster=CLUSTER, configuration={"executeCommandConfiguration": logged})


def _table(live_stack: LiveStack) -> None:
    live_stack.aws("dynamodb").update_table(
        TableName=TABLE, OnDemandThroughput={"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}
    )


def _edge(live_stack: LiveStack) -> None:
    """All that can be added to a distribution; Staging is said at its making alone."""
    cloudfront = live_stack.aws("cloudfront")
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


def _one(value: Any) -> JsonObject:
    return {"Quantity": 1, "Items": [value]}


_FUNCTION = f"arn:aws:cloudfront::{ACCOUNT}:function/theirs"
_LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:theirs:1"
_ADDED_TO_CONFIG: JsonObject = {
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
_ADDED_TO_BEHAVIOUR: JsonObject = {
    "FunctionAssociations": _one({"FunctionARN": _FUNCTION, "EventType": "viewer-request"}),
    "LambdaFunctionAssociations": _one({"LambdaFunctionARN": _LAMBDA, "EventType": "origin-request"}),
    "TrustedKeyGroups": {"Enabled": True, **_one("kg-1")},
    "TrustedSigners": {"Enabled": True, **_one(ACCOUNT)},
    "FieldLevelEncryptionId": "fle-1",
    "GrpcConfig": {"Enabled": True},
    "SmoothStreaming": True,
}
_ADDED_TO_ORIGIN: JsonObject = {
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
    ManualAddition(
        "service",
        ("serviceConnectConfiguration", "serviceRegistries", "vpcLatticeConfigurations"),
        _service,
    ),
    ManualAddition("rule-api-v1", ("Transforms",), _rule("/api/v1/*", Transforms=[_REWRITE])),
    ManualAddition("rule-api-v2", ("Actions",), _forward("/api/v2/*", 0)),
    ManualAddition("listener-80", ("MutualAuthentication",), _listener),
    ManualAddition(
        "alb-attributes",
        (
            "Attributes.routing.http.xff_header_processing.mode",
            "Attributes.routing.http2.enabled",
        ),
        _balancer,
    ),
    ManualAddition("tg-attributes", ("Attributes.stickiness.enabled",), _targets),
    ManualAddition("tg", ("HealthCheckPort",), lambda _: None),
    ManualAddition("public-1", ("AssignIpv6AddressOnCreation", "EnableDns64"), _subnet),
    ManualAddition("endpoint-s3", ("PolicyDocument",), _endpoint),
    ManualAddition("ecs-logs", ("bearerTokenAuthenticationEnabled",), _bearer),
    ManualAddition("task-role", ("PermissionsBoundary",), _boundary),
    ManualAddition(
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
    ManualAddition("writer", ("PromotionTier", "PubliclyAccessible"), _instance),
    ManualAddition("cluster", ("configuration",), _cluster),
    ManualAddition("sessions", ("OnDemandThroughput",), _table),
    ManualAddition(
        "edge",
        (
            *_ADDED_TO_CONFIG,
            *(f"DefaultCacheBehavior.{key}" for key in _ADDED_TO_BEHAVIOUR),
            "Origins.Items",
        ),
        _edge,
    ),
]
