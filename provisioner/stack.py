"""The declaration of the whole stack, top to bottom. Read this first."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import interpolate
from provisioner.names import check_suffix
from provisioner.settings import Settings
from provisioner.settings.overrides import with_overrides
from provisioner.settings.teardown_variants import variants
from provisioner.steps.access_logs import access_logs, edge_records
from provisioner.steps.account import account
from provisioner.steps.alarms import alarms
from provisioner.steps.alb import balancer, redirect
from provisioner.steps.aurora import aurora
from provisioner.steps.autoscaling import autoscaling
from provisioner.steps.boundary import boundary
from provisioner.steps.certificates import certificates
from provisioner.steps.cloudfront import edge, vpc_origin
from provisioner.steps.dashboard import dashboard
from provisioner.steps.domain import addresses, balancer_name, names
from provisioner.steps.dynamodb import sessions
from provisioner.steps.ecs import TaskInputs, compute
from provisioner.steps.endpoints import endpoints
from provisioner.steps.flow_logs import flow_logs
from provisioner.steps.iam import roles
from provisioner.steps.keys import keys
from provisioner.steps.logs import logs
from provisioner.steps.lookups import StackLookups
from provisioner.steps.metrics import MonitoredResources
from provisioner.steps.origin_key import origin_key
from provisioner.steps.security import security
from provisioner.steps.vpc import network
from provisioner.steps.waf import firewall


def build_all(settings: Settings, suffix: str, region: str, lookups: StackLookups) -> Stack:
    """Return the graph of all resources that any settings could have declared, to tear a stack down.

    A resource depends on all that it depends on with any of the settings: which of them it was created with
    is not known, and what it needs is deleted after it.
    """
    stack, *others = (build(one, suffix, region, lookups) for one in variants(settings))
    for other in others:
        for name, resource in other.resources.items():
            known = stack.resources.setdefault(name, resource)
            more = tuple(edge for edge in resource.edges if edge not in known.edges)
            stack.resources[name] = replace(known, edges=(*known.edges, *more))
    return stack


def build(settings: Settings, suffix: str, region: str, lookups: StackLookups) -> Stack:
    """Return the graph of one stack's resources; makes no call."""
    settings = with_overrides(settings, lookups.overrides)
    stack = Stack(check_suffix(suffix), region, settings.tags)
    own = account(stack.step("account"))
    net = network(stack.step("vpc"), settings, lookups)
    groups = security(stack.step("security"), settings, lookups, net)
    locks = keys(stack.step("keys"), settings, lookups)
    journals = logs(stack.step("logs"), settings, locks)
    flow_logs(stack.step("flow-logs"), settings, lookups, net, locks)
    database = aurora(stack.step("aurora"), settings, lookups, net, groups, journals, own, locks)
    table = sessions(stack.step("dynamodb"), settings, locks)
    rights = roles(stack.step("iam"), settings, lookups, journals, table, database, locks)
    records = access_logs(stack.step("access-logs"), settings, lookups)
    key = origin_key(stack.step("guard"), settings, locks)
    domain = stack.step("domain")
    proven = certificates(domain, settings)
    front = balancer(stack.step("alb"), settings, lookups, net, groups, own, records, key, proven)
    ways = endpoints(stack.step("endpoints"), settings, net, groups)
    ground = TaskInputs(net, ways, groups, journals, database, table, rights, front, own, lookups.overrides)
    tasks = compute(stack.step("ecs"), settings, ground)
    autoscaling(stack.step("autoscaling"), settings, tasks, front, own)
    acl = firewall(stack.step("waf"), settings, lookups, locks)
    origin = balancer_name(domain, settings, front)
    within = vpc_origin(stack.step("cloudfront"), settings, net, front)
    distribution = edge(stack.step("cloudfront"), settings, front, acl, key, proven, origin, within)
    redirect(stack.step("alb"), front, distribution)
    names(domain, settings, distribution)
    if records:
        edge_records(stack.step("access-logs"), lookups, records, distribution)
    watched = MonitoredResources(front, tasks, database, table, acl)
    alarms(stack.step("alarms"), settings, lookups, watched, locks)
    dashboard(stack.step("dashboard"), settings, watched)
    boundary(stack.step("boundary"), settings, lookups)
    # The marker is a role, because a log group or a table may need a KMS key of the stack first.
    stack.marker = rights.execution.logical_id
    stack.outputs = {
        "alb_dns_name": front.alb["DNSName"],
        "cloudfront_domain_name": distribution["DomainName"],
        "cloudfront_distribution_url": interpolate("https://{}", distribution["DomainName"]),
        "rds_cluster_endpoint": database.cluster["Endpoint"],
        "dynamodb_table_name": table.id,
        "ecs_cluster_name": tasks.cluster["clusterName"],
        "ecs_service_name": tasks.service["serviceName"],
        "vpc_id": net.vpc.id,
    }
    if database.readers:
        stack.outputs["rds_reader_endpoint"] = database.cluster["ReaderEndpoint"]
    stack.outputs |= addresses(settings, front, distribution)
    for name in settings.api.services:
        stack.outputs[f"ecs_service_name_{name.replace('-', '_')}"] = tasks.services[name]["serviceName"]
    return stack
