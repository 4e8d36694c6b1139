"""The list of all checks of `doctor`, from CloudFront to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.doctor import (
    alarms,
    balancer,
    database,
    edge,
    limits,
    names,
    paths,
    resources,
    rights,
    scaling,
    tasks,
    ways,
)
from provisioner.doctor.asked import alarms as rung
from provisioner.doctor.asked import balancer as front
from provisioner.doctor.asked import data, given
from provisioner.doctor.asked import edge as outside
from provisioner.doctor.asked import images as pulled
from provisioner.doctor.asked import limits as bounds
from provisioner.doctor.asked import names as dns
from provisioner.doctor.asked import network as net
from provisioner.doctor.asked import resources as known
from provisioner.doctor.asked import scaling as scaled
from provisioner.doctor.asked import tasks as inside
from provisioner.doctor.finding import Doc, Finding
from provisioner.doctor.patient import Patient
from provisioner.preflight import support

Read = Callable[[Patient], Any]


@dataclass(frozen=True)
class Check:
    """A check: reads from AWS, and a judgement of what they return.

    Args:
        station: The part of the stack that it is about, such as "edge" or "database".
        name: The name of the check.
        claim: What is true if nothing is wrong, in words.
        reads: The functions that read what `judge` needs, in the order of its arguments.
        judge: The function that returns what is wrong, or None.
        is_symptom: Whether a later check may find the cause of what this one finds.
        seeks: Whether it checks that a resource exists.

    """

    station: str
    name: str
    claim: str
    reads: tuple[Read, ...]
    judge: Callable[..., Finding | None]
    is_symptom: bool = False
    seeks: bool = False


def _distribution(p: Patient) -> Doc:
    """Return the distribution; raise `Unseen` if there is none."""
    return outside.distribution(p).found


def _balancer(p: Patient) -> Doc:
    """Return the load balancer; raise `Unseen` if there is none."""
    return front.balancer(p).found


def _vpc(p: Patient) -> Doc:
    """Return the VPC; raise `Unseen` if there is none."""
    return net.vpc(p).found


def _cluster(p: Patient) -> Doc:
    """Return the database cluster; raise `Unseen` if there is none."""
    return data.cluster(p).found


def _subnet_group(p: Patient) -> Doc:
    """Return the database's subnet group; raise `Unseen` if there is none."""
    return data.subnet_group(p).found


def _now(p: Patient) -> float:
    """Return the wall-clock second of the run."""
    return p.now


def _table(p: Patient) -> Doc:
    """Return the session table; raise `Unseen` if there is none."""
    return data.table(p).found


def _seeks(station: str, name: str, claim: str, read: Read, judge: Callable[..., Finding | None]) -> Check:
    """Return a check that a resource exists and works."""
    return Check(station, name, claim, (read,), judge, seeks=True)


def _symptom(
    station: str, name: str, claim: str, reads: tuple[Read, ...], judge: Callable[..., Finding | None]
) -> Check:
    """Return a check whose finding may have its cause in a later check."""
    return Check(station, name, claim, reads, judge, is_symptom=True)


_EDGE = (
    _seeks("edge", "distribution", "enabled and deployed", outside.distribution, edge.serves),
    Check("edge", "viewers", "it takes every viewer", (_distribution,), edge.lets_in),
    Check("edge", "dns", "its names lead to it", (_distribution, dns.aliases), names.lead_here),
    Check("edge", "certificate", "issued, and renewed in time", (dns.certificates, _now), names.hold),
    Check("edge", "firewall", "it lets requests through", (bounds.firewall,), limits.lets_through),
    Check(
        "edge",
        "origin",
        "CloudFront asks the load balancer, where it listens",
        (outside.way, _balancer, front.listeners, dns.origins),
        edge.leads_here,
    ),
    Check(
        "edge",
        "origin-header",
        "the load balancer takes CloudFront's key",
        (_distribution, front.rules),
        edge.is_known,
    ),
)
_BALANCER = (
    _seeks("balancer", "balancer", "active", front.balancer, balancer.works),
    Check(
        "balancer",
        "rules",
        "each service is led to",
        (front.listeners, front.rules, inside.services),
        balancer.lead_on,
    ),
    Check(
        "balancer",
        "requests",
        "they come to a task as they were asked",
        (front.listeners, front.rules),
        balancer.pass_on,
    ),
    Check("balancer", "rule-order", "no rule hides another", (front.rules,), balancer.in_order),
    Check("balancer", "way-in", "its subnets are open to the world", (_balancer, net.tables), ways.lead_in),
    Check(
        "balancer",
        "path-in",
        "CloudFront gets through to it",
        (outside.way, _balancer, net.groups, net.edge_lists, net.borders),
        paths.from_edge,
    ),
    Check(
        "balancer",
        "path-to-tasks",
        "it reaches the tasks' port",
        (_balancer, inside.services, net.groups, _vpc, net.borders),
        paths.to_tasks,
    ),
    _symptom("balancer", "targets", "healthy", (front.health,), balancer.are_healthy),
    Check("balancer", "registered", "all targets are tasks", (front.foreign,), balancer.are_ours),
    _symptom("balancer", "answers", "few are errors", (bounds.measures,), limits.answer),
)
_TASKS = (
    Check("tasks", "service", "active", (inside.standing, scaled.least), tasks.runs, seeks=True),
    Check("tasks", "placement", "ECS finds room for every task", (inside.services,), tasks.find_room),
    Check("tasks", "quotas", "one task more has room", (bounds.quotas,), limits.leave_room),
    Check("tasks", "image", "it is there", (pulled.images,), tasks.can_be_pulled),
    Check("tasks", "log-group", "the tasks can log", (inside.definitions, inside.log_groups), tasks.can_log),
    Check("tasks", "roles", "ECS may take them", (given.roles,), rights.is_assumed),
    Check("tasks", "secret-rights", "the secrets may be read", (given.roles, given.secrets), rights.can_read),
    Check("tasks", "table-rights", "the tasks may use the table", (given.roles, _table), rights.can_use),
    Check("tasks", "key", "it opens the secrets", (given.roles, given.locks), rights.can_open),
    Check("tasks", "secrets", "each has a current value", (given.secrets,), rights.have_values),
    Check("tasks", "scaling", "none of it is suspended", (scaled.scaled,), scaling.is_on),
    Check("tasks", "scaling-alarms", "they call its policies", (scaled.scaled,), scaling.is_called),
    Check("tasks", "scaling-from-0", "something wakes a service", (scaled.scaled,), scaling.can_begin),
    Check("tasks", "schedules", "none ends a service for good", (scaled.scaled,), scaling.is_not_ended),
    _symptom("tasks", "stopped", "no task stops unasked", (inside.stops,), tasks.stay_up),
    _symptom(
        "tasks",
        "deployment",
        "arrived",
        (inside.services, inside.verdicts, inside.waits),
        tasks.are_rolled_out,
    ),
    _symptom("tasks", "running", "as many as should be", (inside.services,), tasks.are_enough),
)
_NETWORK = (
    _seeks("network", "vpc", "there", net.vpc, ways.is_there),
    Check("network", "names", "AWS's resolver answers in it", (net.names,), ways.are_resolved),
    Check(
        "network",
        "routes",
        "the tasks have a way out",
        (inside.services, net.subnets, net.tables, net.endpoints),
        ways.lead_out,
    ),
    Check(
        "network",
        "nat",
        "the gateways are available, and have a way out",
        (inside.services, net.subnets, net.tables, net.gateways, net.borders),
        ways.are_open,
    ),
    Check(
        "network",
        "endpoints",
        "available, in the tasks' tables",
        (net.endpoints, inside.services, net.subnets, net.tables),
        ways.answer,
    ),
    Check(
        "network",
        "endpoint-path",
        "the endpoints let the tasks in",
        (inside.services, net.endpoints, net.groups, _vpc),
        paths.to_endpoints,
    ),
    Check(
        "network",
        "way-to-aws",
        "the tasks may call AWS",
        (inside.services, net.groups, net.borders),
        paths.to_aws,
    ),
    Check("network", "addresses", "the tasks' subnets have some", (inside.services, net.subnets), ways.have_room),
)
_DATABASE = (
    _seeks("database", "cluster", "it answers", data.cluster, database.is_up),
    Check("database", "writer", "it is available", (_cluster, data.instances), database.writes),
    Check(
        "database",
        "support",
        "AWS supports its version for long still",
        (_cluster, data.support, _now),
        database.is_supported,
    ),
    Check("database", "subnet-group", "in the tasks' VPC", (data.subnet_group, _vpc), database.is_beside),
    Check(
        "database",
        "path",
        "the tasks reach its port",
        (inside.services, _cluster, _subnet_group, net.groups, _vpc, net.borders),
        paths.to_database,
    ),
    Check("database", "capacity", "it has some left", (bounds.measures, _cluster), limits.has_capacity),
    _seeks("database", "table", "active", data.table, database.holds),
    Check("database", "throttles", "none", (bounds.measures, _table), limits.are_not_throttled),
)
_ALL = (
    Check("resources", "alarms", "nobody mutes them", (rung.muted,), alarms.are_heard),
    _symptom("resources", "states", "each is there and healthy", (known.resources,), resources.stand),
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
    **given.CALLS,
    **dns.CALLS,
    **bounds.CALLS,
    **pulled.CALLS,
    "rds": (*data.CALLS["rds"], *support.CALLS["rds"]),
}
