"""Lookups of values that a stack uses but does not create, such as zones and the CloudFront prefix list.

They are chosen once and kept in the state. If the state is lost, they are read again from the stack's
resources.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of, default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Blocked
from provisioner.names import NODE_TAG, PROJECT, has_stack_tags, name_of
from provisioner.resources.ec2.base import equals_filters
from provisioner.resources.elbv2.base import LOAD_BALANCER_NOT_FOUND
from provisioner.resources.elbv2.request_routing import path_values
from provisioner.resources.rds.base import CLUSTER_NOT_FOUND
from provisioner.resources.secretsmanager import INPUT_VARIABLE, password_from_environment
from provisioner.resources.tags import mapping
from provisioner.service_clients import EC2, ELBV2, RDS, SecretsManager

# The AWS operations that this module calls, by service: `policy` grants them, and
# tests/resources/test_declared_calls.py compares the list with the code.
CALLS = {
    "ec2": ("DescribeAvailabilityZones", "DescribeManagedPrefixLists", "DescribeSubnets"),
    "elbv2": ("DescribeListeners", "DescribeLoadBalancers", "DescribeRules"),
    "rds": ("DescribeDBClusters", "DescribeDBInstances", "DescribeOrderableDBInstanceOptions"),
    "secretsmanager": ("DescribeSecret ml-api-dbsecret-{suffix}/*",),
}
ENGINE = "aurora-postgresql"
INSTANCE_CLASS = "db.serverless"
# A DB subnet group and a load balancer need two zones (RDS user guide, working with a DB instance in a VPC).
_MIN_ZONES = 2
# VPC user guide, AWS-managed prefix lists.
EDGE_PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"


def choose_zones(clients: Clients, count: int, zones_in_use: Iterable[str] = ()) -> list[str]:
    """Return zones for the stack: those in use first, then others that can run the database, by name.

    Args:
        clients: The connection to AWS.
        count: How many zones to return.
        zones_in_use: The zones that the stack has already, in order.

    Raises:
        Blocked: The region has too few zones that can run the database.

    """
    zones = list(zones_in_use)
    if len(zones) >= count:
        return zones[:count]
    usable = [zone for zone in usable_zones(clients) if zone not in zones]
    if len(zones) + len(usable) < count:
        names, total = ", ".join([*zones, *usable]) or "none", len(zones) + len(usable)
        hint = "Choose another region."
        if total >= _MIN_ZONES:
            hint = f"Choose another region, or `--set network.zones={total}`."
        raise Blocked(
            f"{clients.aws.region} has too few zones for {count} that can run {INSTANCE_CLASS}: {names}.", hint
        )
    return [*zones, *usable][:count]


def check_zones_to_leave(clients: Clients, suffix: str, zones: Iterable[str]) -> None:
    """Raise Blocked if a database instance is in one of the zones that the stack is to leave."""
    zones_to_leave = set(zones)
    if not zones_to_leave:
        return
    for instance in _database_instances(clients, suffix):
        if instance.get("AvailabilityZone") in zones_to_leave:
            raise Blocked(
                f"The database's instance {instance['DBInstanceIdentifier']} is in {instance['AvailabilityZone']}, "
                "which the stack would leave; an instance does not move.",
                "Keep `network.zones` as it was, or first apply fewer `database.readers` where it is one of "
                "them. To leave the writer's zone, fail over to an instance in another one.",
            )


def highest_reader_number(clients: Clients, suffix: str) -> int:
    """Return the highest number among the reader instances of the stack's database; 0 if it has none."""
    instances = _database_instances(clients, suffix)
    logical_ids = [mapping(instance.get("TagList", [])).get(NODE_TAG, "") for instance in instances]
    readers = [logical_id for logical_id in logical_ids if logical_id.startswith("reader-")]
    return max((int(reader.rpartition("-")[2]) for reader in readers), default=0)


def _database_instances(clients: Clients, suffix: str) -> list[JsonObject]:
    """Return the instances of the stack's database cluster (DescribeDBInstances)."""
    rds, cluster = clients.client(RDS), name_of("aurora", suffix)
    return list(rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [cluster]}])["DBInstances"])


def zones_in_use(clients: Clients, suffix: str) -> list[str]:
    """Return the zones of the stack's subnets, in the order of the subnets' numbers (DescribeSubnets)."""
    filters = equals_filters({"tag:Project": PROJECT, "tag:Environment": suffix})
    subnets = clients.client(EC2).describe_subnets(Filters=filters)["Subnets"]
    by_id = {mapping(subnet["Tags"]).get(NODE_TAG, ""): subnet["AvailabilityZone"] for subnet in subnets}
    zones = (by_id.get(f"public-{number}") or by_id.get(f"private-{number}") for number in range(1, len(by_id) + 1))
    return [zone for zone in zones if zone]


def rule_priorities(clients: Clients, suffix: str) -> dict[str, int]:
    """Return the priority of each path pattern in the rules of the stack's load balancer.

    Two listeners of one load balancer, as while port 443 replaces port 80, have the same patterns at the same
    priorities.
    """
    elb = clients.client(ELBV2)
    try:
        balancers = elb.describe_load_balancers(Names=[name_of("alb", suffix)])["LoadBalancers"]
    except ClientError as error:
        if code_of(error) in LOAD_BALANCER_NOT_FOUND:
            return {}
        raise
    listeners = [
        listener
        for balancer in balancers
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    return {
        pattern: int(rule["Priority"])
        for listener in listeners
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        for pattern in path_values(rule)
        if not rule["IsDefault"]
    }


def usable_zones(clients: Clients) -> list[str]:
    """Return the available zones that can run the database, sorted by name."""
    filters = equals_filters({"state": "available", "zone-type": "availability-zone"})
    zones = clients.client(EC2).describe_availability_zones(Filters=filters)["AvailabilityZones"]
    available = {zone["ZoneName"] for zone in zones if zone.get("OptInStatus") != "not-opted-in"}
    serverless = {zone["Name"] for option in orderable_options(clients) for zone in option["AvailabilityZones"]}
    # Other emulators may have no list of orderable options: then no zone is excluded.
    return sorted(available & serverless if serverless or clients.aws.is_faithful else available)


def orderable_options(clients: Clients) -> list[dict[str, Any]]:
    """Return the orderable options of Aurora Serverless v2 in this region (DescribeOrderableDBInstanceOptions).

    The list is empty if an emulator has no such options, or does not know the call.
    """

    def describe() -> dict[str, Any]:
        rds = clients.client(RDS)
        return dict(rds.describe_orderable_db_instance_options(Engine=ENGINE, DBInstanceClass=INSTANCE_CLASS))

    nothing: dict[str, Any] = {"OrderableDBInstanceOptions": []}
    reply = describe() if clients.aws.is_faithful else default_if_unsupported(describe, nothing)
    return list(reply["OrderableDBInstanceOptions"])


def master_password_keeper(clients: Clients, suffix: str) -> str:
    """Return who keeps the master password: `rds`, or `own` if DB_PASSWORD was set when the stack was created."""
    if cluster := read_cluster(clients, suffix):
        return "rds" if cluster.get("MasterUserSecret") else "own"
    if _has_secret(clients, suffix):
        return "own"
    if os.environ.get(INPUT_VARIABLE) is None:
        return "rds"
    # Raises UsageError if Aurora would refuse the password.
    password_from_environment()
    return "own"


def read_cluster(clients: Clients, suffix: str) -> dict[str, Any] | None:
    """Return the stack's database cluster as AWS describes it; None if there is none."""
    name = name_of("aurora", suffix)
    try:
        clusters = clients.client(RDS).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    except ClientError as error:
        if code_of(error) in CLUSTER_NOT_FOUND:
            return None
        raise
    of_stack = (dict(cluster) for cluster in clusters if has_stack_tags(mapping(cluster.get("TagList", [])), suffix))
    return next(of_stack, None)


def _has_secret(clients: Clients, suffix: str) -> bool:
    """Return whether the stack has a secret with the master password that is not being deleted."""
    try:
        secret = clients.client(SecretsManager).describe_secret(SecretId=name_of("dbsecret", suffix))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return False
        raise
    return "DeletedDate" not in secret


def edge_prefix_list_id(clients: Clients) -> str:
    """Return the id of this region's prefix list of CloudFront's origin-facing addresses.

    Raises:
        Blocked: The region has no such prefix list.

    """
    filters = equals_filters({"prefix-list-name": EDGE_PREFIX_LIST})
    prefix_lists = clients.client(EC2).describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    if not prefix_lists:
        raise Blocked(
            f"{clients.aws.region} has no prefix list {EDGE_PREFIX_LIST}.", "Set `edge.guard=off` in this region."
        )
    return str(prefix_lists[0]["PrefixListId"])
