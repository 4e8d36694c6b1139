"""The list of all checks of `doctor`, from CloudFront to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.doctor import (
    alarms,
    balancer,
    checked_resources,
    database,
    edge,
    limits,
    names,
    permissions,
    scaling,
    security_groups,
    subnet_routes,
    tasks,
)
from provisioner.doctor import checked_resources as known
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import Finding, JsonObject
from provisioner.doctor.reads import alarms as rung
from provisioner.doctor.reads import balancer as front
from provisioner.doctor.reads import data, task_roles
from provisioner.doctor.reads import edge as outside
from provisioner.doctor.reads import images as pulled
from provisioner.doctor.reads import limits as bounds
from provisioner.doctor.reads import names as dns
from provisioner.doctor.reads import network as net
from provisioner.doctor.reads import scaling as scaled
from provisioner.doctor.reads import tasks as inside
from provisioner.preflight import support

Read = Callable[[DoctorContext], Any]


@dataclass(frozen=True)
class Check:
    """A check: reads from AWS, and a judgement of what they return.

    Args:
        stage: The part of the stack that it is about, such as "edge" or "database".
        name: The name of the check.
        claim: What is true if nothing is wrong, in words.
        reads: The functions that read what `judge` needs, in the order of its arguments.
        judge: The function that returns what is wrong, or None.
        is_symptom: Whether a later check may find the cause of what this one finds.
        needs_reads: Whether it checks that a resource exists.

    """

    stage: str
    name: str
    claim: str
    reads: tuple[Read, ...]
    judge: Callable[..., Finding | None]
    is_symptom: bool = False
    needs_reads: bool = False


def _distribution(context: DoctorContext) -> JsonObject:
    """Return the distribution; raise `NotChecked` if there is none."""
    return outside.distribution(context).found


def _balancer(context: DoctorContext) -> JsonObject:
    """Return the load balancer; raise `NotChecked` if there is none."""
    return front.balancer(context).found


def _vpc(context: DoctorContext) -> JsonObject:
    """Return the VPC; raise `NotChecked` if there is none."""
    return net.vpc(context).found


def _cluster(context: DoctorContext) -> JsonObject:
    """Return the database cluster; raise `NotChecked` if there is none."""
    return data.cluster(context).found


def _subnet_group(context: DoctorContext) -> JsonObject:
    """Return the database's subnet group; raise `NotChecked` if there is none."""
    return data.subnet_group(context).found


def _now(context: DoctorContext) -> float:
    """Return the wall-clock second of the run."""
    return context.now


def _table(context: DoctorContext) -> JsonObject:
    """Return the session table; raise `NotChecked` if there is none."""
    return data.table(context).found


def _seeks(station: str, name: str, claim: str, read: Read, judge: Callable[..., Finding | None]) -> Check:
    """Return a check that a resource exists and works."""
    return Check(station, name, claim, (read,), judge, needs_reads=True)


def _symptom(
    station: str, name: str, claim: str, reads: tuple[Read, ...], judge: Callable[..., Finding | None]
) -> Check:
    """Return a check whose finding may have its cause in a later check."""
    return Check(station, name, claim, reads, judge, is_symptom=True)


_EDGE = (
    _seeks("edge", "distribution", "enabled and deployed", outside.distribution, edge.distribution_is_deployed),
    Check("edge", "viewers", "it takes every viewer", (_distribution,), edge.distribution_admits_viewers),
    Check("edge", "dns", "its names lead to it", (_distribution, dns.aliases), names.names_reach_distribution),
    Check("edge", "certificate", "issued, and renewed in time", (dns.certificates, _now), names.certificates_are_valid),
    Check("edge", "firewall", "it lets requests through", (bounds.firewall,), limits.firewall_admits_viewers),
    Check(
        "edge",
        "origin",
        "CloudFront asks the load balancer, where it listens",
        (outside.origin_path, _balancer, front.listeners, dns.origins),
        edge.origin_is_balancer,
    ),
    Check(
        "edge",
        "origin-header",
        "the load balancer takes CloudFront's key",
        (_distribution, front.rules),
        edge.origin_key_matches,
    ),
)
_BALANCER = (
    _seeks("balancer", "balancer", "active", front.balancer, balancer.balancer_is_active),
    Check(
        "balancer",
        "rules",
        "each service is led to",
        (front.listeners, front.rules, inside.services),
        balancer.rules_reach_services,
    ),
    Check(
        "balancer",
        "requests",
        "they come to a task as they were asked",
        (front.listeners, front.rules),
        balancer.rules_keep_requests,
    ),
    Check("balancer", "rule-order", "no rule hides another", (front.rules,), balancer.rules_are_reachable),
    Check(
        "balancer",
        "way-in",
        "its subnets are open to the world",
        (_balancer, net.tables),
        subnet_routes.balancer_has_internet_route,
    ),
    Check(
        "balancer",
        "path-in",
        "CloudFront gets through to it",
        (outside.origin_path, _balancer, net.groups, net.edge_lists, net.network_acls),
        security_groups.edge_reaches_balancer,
    ),
    Check(
        "balancer",
        "path-to-tasks",
        "it reaches the tasks' port",
        (_balancer, inside.services, net.groups, _vpc, net.network_acls),
        security_groups.balancer_reaches_tasks,
    ),
    _symptom("balancer", "targets", "healthy", (front.health,), balancer.targets_are_healthy),
    Check("balancer", "registered", "all targets are tasks", (front.foreign,), balancer.targets_are_tasks),
    _symptom("balancer", "answers", "few are errors", (bounds.measures,), limits.responses_succeed),
)
_TASKS = (
    Check(
        "tasks",
        "service",
        "active",
        (inside.main_service, scaled.minimum_tasks),
        tasks.service_is_active,
        needs_reads=True,
    ),
    Check("tasks", "placement", "ECS finds room for every task", (inside.services,), tasks.tasks_are_placed),
    Check("tasks", "quotas", "one task more has room", (bounds.quotas,), limits.quotas_leave_room),
    Check("tasks", "image", "it is there", (pulled.images,), tasks.images_are_pullable),
    Check("tasks", "log-group", "the tasks can log", (inside.definitions, inside.log_groups), tasks.log_groups_exist),
    Check("tasks", "roles", "ECS may take them", (task_roles.roles,), permissions.roles_are_assumable),
    Check(
        "tasks",
        "secret-rights",
        "the secrets may be read",
        (task_roles.roles, task_roles.secrets),
        permissions.secrets_are_readable,
    ),
    Check(
        "tasks", "table-rights", "the tasks may use the table", (task_roles.roles, _table), permissions.table_is_usable
    ),
    Check(
        "tasks", "key", "it opens the secrets", (task_roles.roles, task_roles.secret_keys), permissions.keys_are_usable
    ),
    Check("tasks", "secrets", "each has a current value", (task_roles.secrets,), permissions.secrets_have_values),
    Check("tasks", "scaling", "none of it is suspended", (scaled.scaled_services,), scaling.scaling_is_active),
    Check("tasks", "scaling-alarms", "they call its policies", (scaled.scaled_services,), scaling.policy_alarms_exist),
    Check(
        "tasks",
        "scaling-from-0",
        "something wakes a service",
        (scaled.scaled_services,),
        scaling.service_can_scale_from_zero,
    ),
    Check(
        "tasks", "schedules", "none ends a service for good", (scaled.scaled_services,), scaling.schedule_keeps_tasks
    ),
    _symptom("tasks", "stopped", "no task stops unasked", (inside.stopped_tasks,), tasks.tasks_stay_running),
    _symptom(
        "tasks",
        "deployment",
        "arrived",
        (inside.services, inside.verdicts, inside.waiting_hooks),
        tasks.deployments_completed,
    ),
    _symptom("tasks", "running", "as many as should be", (inside.services,), tasks.task_count_is_met),
)
_NETWORK = (
    _seeks("network", "vpc", "there", net.vpc, subnet_routes.vpc_exists),
    Check("network", "names", "AWS's resolver answers in it", (net.names,), subnet_routes.dns_is_enabled),
    Check(
        "network",
        "routes",
        "the tasks have a way out",
        (inside.services, net.subnets, net.tables, net.endpoints),
        subnet_routes.tasks_have_route_out,
    ),
    Check(
        "network",
        "nat",
        "the gateways are available, and have a way out",
        (inside.services, net.subnets, net.tables, net.gateways, net.network_acls),
        subnet_routes.nat_gateways_work,
    ),
    Check(
        "network",
        "endpoints",
        "available, in the tasks' tables",
        (net.endpoints, inside.services, net.subnets, net.tables),
        subnet_routes.endpoints_work,
    ),
    Check(
        "network",
        "endpoint-path",
        "the endpoints let the tasks in",
        (inside.services, net.endpoints, net.groups, _vpc),
        security_groups.tasks_reach_endpoints,
    ),
    Check(
        "network",
        "way-to-aws",
        "the tasks may call AWS",
        (inside.services, net.groups, net.network_acls),
        security_groups.tasks_reach_aws,
    ),
    Check(
        "network",
        "addresses",
        "the tasks' subnets have some",
        (inside.services, net.subnets),
        subnet_routes.subnets_have_addresses,
    ),
)
_DATABASE = (
    _seeks("database", "cluster", "it answers", data.cluster, database.cluster_is_available),
    Check("database", "writer", "it is available", (_cluster, data.instances), database.writer_is_available),
    Check(
        "database",
        "support",
        "AWS supports its version for long still",
        (_cluster, data.support, _now),
        database.version_is_supported,
    ),
    Check("database", "subnet-group", "in the tasks' VPC", (data.subnet_group, _vpc), database.cluster_is_in_vpc),
    Check(
        "database",
        "path",
        "the tasks reach its port",
        (inside.services, _cluster, _subnet_group, net.groups, _vpc, net.network_acls),
        security_groups.tasks_reach_database,
    ),
    Check("database", "capacity", "it has some left", (bounds.measures, _cluster), limits.database_has_capacity),
    _seeks("database", "table", "active", data.table, database.table_is_active),
    Check("database", "throttles", "none", (bounds.measures, _table), limits.table_is_not_throttled),
)
_ALL = (
    Check("resources", "alarms", "nobody mutes them", (rung.muted_alarms,), alarms.alarms_are_not_muted),
    _symptom(
        "resources", "states", "each is there and healthy", (known.resources,), checked_resources.resources_are_healthy
    ),
)
CHECKS: tuple[Check, ...] = (*_EDGE, *_BALANCER, *_TASKS, *_NETWORK, *_DATABASE, *_ALL)

# The calls of all checks by service; `policy` grants them.
CALLS = {
    **outside.CALLS,
    **front.CALLS,
    **inside.CALLS,
    **scaled.CALLS,
    **net.CALLS,
    **data.CALLS,
    **task_roles.CALLS,
    **dns.CALLS,
    **bounds.CALLS,
    **pulled.CALLS,
    "rds": (*data.CALLS["rds"], *support.CALLS["rds"]),
}
