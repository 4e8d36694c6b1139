"""What counts against a quota: the region's resources, whoever made them, and the vCPUs of the tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import CREATE_WAS_INTERRUPTED
from provisioner.engine.resource_graph.graph import Resource
from provisioner.service_clients import EC2, ELBV2, RDS

# CPU units of one vCPU.
_UNITS_PER_VCPU = 1024
_GONE = ("deleted", "deleting", "failed")

# The calls of this module and of the quota check by service; `policy` grants them.
CALLS = {
    "ec2": ("DescribeAddresses", "DescribeInternetGateways", "DescribeNatGateways", "DescribeSubnets", "DescribeVpcs"),
    "elbv2": ("DescribeLoadBalancers",),
    "rds": ("DescribeDBClusters",),
    "service-quotas": ("GetServiceQuota",),
}


def count_vpcs(clients: Clients) -> Mapping[str, int]:
    """Count the VPCs with DescribeVpcs."""
    return {"": len(clients.client(EC2).describe_vpcs()["Vpcs"])}


def count_internet_gateways(clients: Clients) -> Mapping[str, int]:
    """Count the internet gateways with DescribeInternetGateways."""
    return {"": len(clients.client(EC2).describe_internet_gateways()["InternetGateways"])}


def count_elastic_ips(clients: Clients) -> Mapping[str, int]:
    """Count the Elastic IPs with DescribeAddresses."""
    return {"": len(clients.client(EC2).describe_addresses()["Addresses"])}


def count_nat_gateways(clients: Clients) -> Mapping[str, int]:
    """Count the NAT gateways (DescribeNatGateways) by the zone of their subnet (DescribeSubnets)."""
    ec2 = clients.client(EC2)
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    existing = [gateway for gateway in gateways if gateway.get("State") not in _GONE]
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in ec2.describe_subnets()["Subnets"]}
    return Counter(zones.get(gateway.get("SubnetId") or "", "") for gateway in existing)


def count_load_balancers(clients: Clients) -> Mapping[str, int]:
    """Count the application load balancers with DescribeLoadBalancers."""
    balancers = clients.client(ELBV2).describe_load_balancers()["LoadBalancers"]
    return {"": sum(balancer.get("Type") == "application" for balancer in balancers)}


def count_db_clusters(clients: Clients) -> Mapping[str, int]:
    """Count the database clusters with DescribeDBClusters."""
    return {"": len(clients.client(RDS).describe_db_clusters()["DBClusters"])}


def new_fargate_vcpus(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate (not Spot): the base, and the rest by weight."""
    return _tasks_on_fargate(resource, _starting_tasks(resource, plan)) * _vcpus_per_task(resource, plan)


def new_spot_vcpus(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate Spot: all others."""
    vcpus = _starting_tasks(resource, plan) * _vcpus_per_task(resource, plan)
    return vcpus - new_fargate_vcpus(resource, plan)


def running_fargate_vcpus(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate (not Spot) now."""
    return _tasks_on_fargate(resource, _running_tasks(resource, plan)) * _vcpus_per_running_task(resource, plan)


def running_spot_vcpus(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate Spot now."""
    vcpus = _running_tasks(resource, plan) * _vcpus_per_running_task(resource, plan)
    return vcpus - running_fargate_vcpus(resource, plan)


def _starting_tasks(resource: Resource, plan: Plan) -> int:
    """Return how many tasks start: all of a new revision, else those missing from the declared number."""
    desired, change = int(resource.props["desiredCount"]), plan.changes[resource.logical_id]
    if change.action == "create":
        return 0 if change.reason == CREATE_WAS_INTERRUPTED else desired
    running = _running_tasks(resource, plan)
    has_new_revision = any(difference.top == "taskDefinition" for difference in change.differences)
    return max(desired, running) if has_new_revision else max(desired - running, 0)


def _running_tasks(resource: Resource, plan: Plan) -> int:
    """Return how many tasks the service runs now, by its desired count in AWS."""
    return int(plan.actual.get(resource.logical_id, {}).get("desiredCount", 0))


def _tasks_on_fargate(resource: Resource, count: int) -> float:
    """Return how many of `count` tasks go to Fargate (not Spot) by the capacity provider strategy."""
    strategy = {item["capacityProvider"]: item for item in resource.props["capacityProviderStrategy"]}
    fargate = strategy.get("FARGATE", {"base": 0, "weight": 0})
    weights = sum(item["weight"] for item in strategy.values())
    in_base = min(count, fargate["base"])
    return float(in_base + (count - in_base) * fargate["weight"] / weights)


def _vcpus_per_task(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of one task, as it is declared."""
    return int(plan.stack.resources[resource.props["taskDefinition"].logical_id].props["cpu"]) / _UNITS_PER_VCPU


def _vcpus_per_running_task(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of one task as it is now; as declared if its task definition was not read."""
    task = resource.props["taskDefinition"].logical_id
    return int(plan.actual[task]["cpu"]) / _UNITS_PER_VCPU if task in plan.actual else _vcpus_per_task(resource, plan)
