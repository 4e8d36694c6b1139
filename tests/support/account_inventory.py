"""Everything an AWS account holds, asked of each service itself; the tool has no part in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config

from provisioner.iam.reference import described_services

Found = dict[str, dict[str, str]]

# What AWS counts or dates by itself, whatever is done to other resources.
RESTLESS = {"ResponseMetadata", "LatestRestorableTime", "ConsumedCapacity", "ItemCount", "TableSizeBytes"}
# A record by which ACM renews stays behind in its zone.
RESTLESS |= {"ResourceRecordSetCount"}
# Services that `_nested` asks, and those that hold nothing of a stack.
_ASKED_BY_HAND = {"ecs", "kms", "backup", "ecr", "pricing", "pricing-plan-manager", "resourcegroupstaggingapi"}
_ASKED_BY_HAND |= {"service-quotas", "ssm", "sts"}
# kind: (service, operation, its parameters, where the list is, what tells one from another)
LISTS: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    "vpc": ("ec2", "describe_vpcs", {}, "Vpcs", "VpcId"),
    "subnet": ("ec2", "describe_subnets", {}, "Subnets", "SubnetId"),
    "internet gateway": ("ec2", "describe_internet_gateways", {}, "InternetGateways", "InternetGatewayId"),
    "nat gateway": ("ec2", "describe_nat_gateways", {}, "NatGateways", "NatGatewayId"),
    "address": ("ec2", "describe_addresses", {}, "Addresses", "AllocationId"),
    "route table": ("ec2", "describe_route_tables", {}, "RouteTables", "RouteTableId"),
    "endpoint": ("ec2", "describe_vpc_endpoints", {}, "VpcEndpoints", "VpcEndpointId"),
    "security group": ("ec2", "describe_security_groups", {}, "SecurityGroups", "GroupId"),
    "group rule": (
        "ec2",
        "describe_security_group_rules",
        {},
        "SecurityGroupRules",
        "SecurityGroupRuleId",
    ),
    "interface": ("ec2", "describe_network_interfaces", {}, "NetworkInterfaces", "NetworkInterfaceId"),
    "network acl": ("ec2", "describe_network_acls", {}, "NetworkAcls", "NetworkAclId"),
    "dhcp options": ("ec2", "describe_dhcp_options", {}, "DhcpOptions", "DhcpOptionsId"),
    "flow log": ("ec2", "describe_flow_logs", {}, "FlowLogs", "FlowLogId"),
    "log group": ("logs", "describe_log_groups", {}, "logGroups", "logGroupName"),
    "db cluster": ("rds", "describe_db_clusters", {}, "DBClusters", "DBClusterIdentifier"),
    "db instance": ("rds", "describe_db_instances", {}, "DBInstances", "DBInstanceIdentifier"),
    "db subnet group": ("rds", "describe_db_subnet_groups", {}, "DBSubnetGroups", "DBSubnetGroupName"),
    "db cluster parameters": (
        "rds",
        "describe_db_cluster_parameter_groups",
        {},
        "DBClusterParameterGroups",
        "DBClusterParameterGroupName",
    ),
    "db parameters": (
        "rds",
        "describe_db_parameter_groups",
        {},
        "DBParameterGroups",
        "DBParameterGroupName",
    ),
    "db snapshot": (
        "rds",
        "describe_db_cluster_snapshots",
        {},
        "DBClusterSnapshots",
        "DBClusterSnapshotIdentifier",
    ),
    "table": ("dynamodb", "list_tables", {}, "TableNames", ""),
    "backup": ("dynamodb", "list_backups", {}, "BackupSummaries", "BackupArn"),
    "role": ("iam", "list_roles", {}, "Roles", "RoleName"),
    "policy": ("iam", "list_policies", {"Scope": "Local"}, "Policies", "Arn"),
    "instance profile": ("iam", "list_instance_profiles", {}, "InstanceProfiles", "InstanceProfileName"),
    "secret": ("secretsmanager", "list_secrets", {"IncludePlannedDeletion": True}, "SecretList", "ARN"),
    "balancer": ("elbv2", "describe_load_balancers", {}, "LoadBalancers", "LoadBalancerArn"),
    "target group": ("elbv2", "describe_target_groups", {}, "TargetGroups", "TargetGroupArn"),
    "scalable target": (
        "application-autoscaling",
        "describe_scalable_targets",
        {"ServiceNamespace": "ecs"},
        "ScalableTargets",
        "ResourceId",
    ),
    "scaling policy": (
        "application-autoscaling",
        "describe_scaling_policies",
        {"ServiceNamespace": "ecs"},
        "ScalingPolicies",
        "PolicyARN",
    ),
    "alarm": ("cloudwatch", "describe_alarms", {}, "MetricAlarms", "AlarmName"),
    "dashboard": ("cloudwatch", "list_dashboards", {}, "DashboardEntries", "DashboardName"),
    "bucket": ("s3", "list_buckets", {}, "Buckets", "Name"),
    "event rule": ("events", "list_rules", {}, "Rules", "Name"),
    "topic": ("sns", "list_topics", {}, "Topics", "TopicArn"),
    "certificate": ("acm", "list_certificates", {}, "CertificateSummaryList", "CertificateArn"),
    "zone": ("route53", "list_hosted_zones", {}, "HostedZones", "Id"),
    "vpc origin": ("cloudfront", "list_vpc_origins", {}, "VpcOriginList.Items", "Id"),
    "subscription": ("sns", "list_subscriptions", {}, "Subscriptions", ""),
    "delivery source": ("logs", "describe_delivery_sources", {}, "deliverySources", "arn"),
    "delivery destination": ("logs", "describe_delivery_destinations", {}, "deliveryDestinations", "arn"),
    "delivery": ("logs", "describe_deliveries", {}, "deliveries", "arn"),
    "web acl": ("wafv2", "list_web_acls", {"Scope": "CLOUDFRONT"}, "WebACLs", "ARN"),
}


@cache
def client(endpoint: str, service: str, region: str = "us-east-1") -> Any:
    """A client that has nothing to do with the tool's own."""
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    session = boto3.Session("AKIATEST", "test", region_name=region)
    return session.client(service, endpoint_url=endpoint, config=config)


def inventory(endpoint: str, region: str = "us-east-1") -> Found:
    """All there is, by kind and id, each as one line of JSON; service-linked roles left out."""
    found: Found = {type_name: {} for type_name in LISTS}
    for type_name, (service, operation, params, where, key) in LISTS.items():
        if params.get("Scope") == "CLOUDFRONT" and region != "us-east-1":
            continue  # it is listed there alone
        for doc in _pages(client(endpoint, service, region), operation, params, where):
            if not _is_past(type_name, doc):
                found[type_name][str(doc[key]) if key else _line(doc)] = _line(doc)
    # SNS tells for two days of a reader that never confirmed; nobody can end that.
    heard = found["subscription"]
    found["subscription"] = {key: line for key, line in heard.items() if json.loads(line)["TopicArn"] in found["topic"]}
    for type_name, more in _nested(endpoint, region, found):
        found.setdefault(type_name, {}).update({key: _line(doc) for key, doc in more.items()})
    return found


def _of_other_services(endpoint: str, region: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that a service without a row in `LISTS` returns from the lists that need no parameter."""
    asked = {row[0] for row in LISTS.values()} | _ASKED_BY_HAND
    for name in sorted(described_services() - asked):
        service = client(endpoint, name, region)
        for operation in service.meta.service_model.operation_names:
            if operation.startswith(("List", "Describe")) and (where := _parameterless_list(service, operation)):
                found = _pages(service, xform_name(operation), {}, where)
                yield f"{name} {where}", {_line(doc): doc for doc in found}


def _parameterless_list(service: Any, operation: str) -> str:
    """The member in which an operation without required parameters returns its one list; "" for any other."""
    model = service.meta.service_model.operation_model(operation)
    lists = [key for key, shape in model.output_shape.members.items() if shape.type_name == "list"]
    return lists[0] if len(lists) == 1 and not model.input_shape.required_members else ""


def _pages(service: Any, operation: str, params: dict[str, Any], where: str) -> list[Any]:
    if service.can_paginate(operation):
        whole = service.get_paginator(operation).paginate(**params).build_full_result()
    else:
        whole = getattr(service, operation)(**params)
    for part in where.split("."):
        whole = whole.get(part, [])
    return list(whole)


def _is_past(type_name: str, doc: Any) -> bool:
    """What AWS shows for a while after its end, and what is AWS's own in every account."""
    match type_name:
        case "nat gateway":
            return bool(doc["State"] == "deleted")
        case "network acl":  # the default one is a part of its VPC
            return bool(doc["IsDefault"])
        case "role":
            return bool(doc["Path"].startswith("/aws-service-role/"))
        case "db parameters" | "db cluster parameters":
            return str(doc.get("DBParameterGroupName", "")).startswith("default.")
    return False


def _line(doc: Any) -> str:
    return json.dumps(_calm(doc), sort_keys=True, default=str)


def _calm(doc: Any) -> Any:
    if isinstance(doc, dict):
        return {key: _calm(value) for key, value in doc.items() if key not in RESTLESS}
    return [_calm(value) for value in doc] if isinstance(doc, list) else doc


def _nested(endpoint: str, region: str, found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is only listed within something else."""
    yield from _of_other_services(endpoint, region)
    elbv2, iam = client(endpoint, "elbv2", region), client(endpoint, "iam", region)
    for arn in found["balancer"]:
        listed = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        yield "listener", {one["ListenerArn"]: one for one in listed}
        yield "balancer attributes", {arn: elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)}
        for listener in listed:
            rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            yield "rule", {rule["RuleArn"]: rule for rule in rules}
    for role in found["role"]:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield "role policy", {f"{role}/{name}": iam.get_role_policy(RoleName=role, PolicyName=name)}
        yield "role tags", {role: iam.list_role_tags(RoleName=role)}
    route53 = client(endpoint, "route53", region)
    for zone in found["zone"]:
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        proving = {one["Name"] for one in records if "acm-validations" in str(one)}  # they stay, marks too
        kept = proving | {f"_ml-api.{name}" for name in proving}
        others = [one for one in records if one["Name"] not in kept]
        yield "record", {f"{zone} {one['Name']} {one['Type']}": one for one in others}
    yield "key", dict(_keys(client(endpoint, "kms", region)))
    yield "table in full", dict(_tables(client(endpoint, "dynamodb", region), found))
    yield from _containers(client(endpoint, "ecs", region))
    cloudfront = client(endpoint, "cloudfront", region)
    listed = cloudfront.list_distributions()["DistributionList"].get("Items", [])
    yield "distribution", {one["Id"]: cloudfront.get_distribution(Id=one["Id"]) for one in listed}
    waf = client(endpoint, "wafv2", region)
    yield "regional web acl", {one["ARN"]: one for one in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]}


def _keys(kms: Any) -> Iterator[tuple[str, Any]]:
    """The keys that are not AWS's own, one a service, which everybody gets with the first use."""
    own = {one.get("TargetKeyId") for one in kms.list_aliases()["Aliases"] if "alias/aws/" in one["AliasName"]}
    for key in kms.list_keys()["Keys"]:
        if key["KeyId"] not in own:
            yield key["KeyId"], kms.describe_key(KeyId=key["KeyId"])


def _tables(dynamodb: Any, found: Found) -> Iterator[tuple[str, Any]]:
    for line in found["table"]:
        name = json.loads(line)
        table = dynamodb.describe_table(TableName=name)["Table"]
        ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        yield name, {"table": table, "ttl": ttl}


def _containers(ecs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    arns = ecs.list_clusters()["clusterArns"]
    include = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
    clusters = ecs.describe_clusters(clusters=arns, include=include)["clusters"] if arns else []
    living = [one for one in clusters if one["status"] != "INACTIVE"]
    yield "ecs cluster", {one["clusterArn"]: one for one in living}
    for cluster in living:
        names = ecs.list_services(cluster=cluster["clusterArn"])["serviceArns"]
        if names:
            services = ecs.describe_services(cluster=cluster["clusterArn"], services=names, include=["TAGS"])
            yield (
                "ecs service",
                {one["serviceArn"]: one for one in services["services"] if one["status"] != "INACTIVE"},
            )
        tasks = ecs.list_tasks(cluster=cluster["clusterArn"])["taskArns"]
        yield "task", {arn: arn for arn in tasks}
    for status in ("ACTIVE", "INACTIVE"):
        listed = ecs.list_task_definitions(status=status)["taskDefinitionArns"]
        yield f"task definition {status.lower()}", {arn: arn for arn in listed}
