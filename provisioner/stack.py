"""The declaration of the whole stack, top to bottom. Read this first."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import interpolate
from provisioner.names import check_suffix
from provisioner.settings import Settings
from provisioner.settings.overrides import with_overrides
from provisioner.settings.variants import teardown_variants
from provisioner.steps.access_logs import declare_access_logs, declare_edge_log_delivery
from provisioner.steps.account import declare_service_roles
from provisioner.steps.alarms import declare_alarms
from provisioner.steps.alb import declare_balancer, declare_redirect
from provisioner.steps.aurora import declare_database
from provisioner.steps.autoscaling import declare_autoscaling
from provisioner.steps.boundary import declare_boundary
from provisioner.steps.certificates import declare_certificates
from provisioner.steps.cloudfront import declare_distribution, declare_vpc_origin
from provisioner.steps.dashboard import declare_dashboard
from provisioner.steps.domain import declare_names, declare_origin_name, domain_outputs
from provisioner.steps.dynamodb import declare_sessions_table
from provisioner.steps.ecs import TaskInputs, declare_services
from provisioner.steps.endpoints import declare_endpoints
from provisioner.steps.flow_logs import declare_flow_logs
from provisioner.steps.iam import declare_roles
from provisioner.steps.keys import declare_keys
from provisioner.steps.logs import declare_log_groups
from provisioner.steps.lookups import StackLookups
from provisioner.steps.metrics import MonitoredResources
from provisioner.steps.origin_key import declare_origin_key
from provisioner.steps.security import declare_security_groups
from provisioner.steps.vpc import declare_network
from provisioner.steps.waf import declare_firewall


def build_all(settings: Settings, suffix: str, region: str, lookups: StackLookups) -> Stack:
    """Return the graph of all resources that any settings could have declared, to tear a stack down.

    A resource depends on all that it depends on with any of the settings: which of them it was created with
    is not known, and what it needs is deleted after it.
    """
    stack, *others = (build(one, suffix, region, lookups) for one in teardown_variants(settings))
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
    own = declare_service_roles(stack.step("account"))
    net = declare_network(stack.step("vpc"), settings, lookups)
    groups = declare_security_groups(stack.step("security"), settings, lookups, net)
    locks = declare_keys(stack.step("keys"), settings, lookups)
    journals = declare_log_groups(stack.step("logs"), settings, locks)
    declare_flow_logs(stack.step("flow-logs"), settings, lookups, net, locks)
    database = declare_database(stack.step("aurora"), settings, lookups, net, groups, journals, own, locks)
    table = declare_sessions_table(stack.step("dynamodb"), settings, locks)
    rights = declare_roles(stack.step("iam"), settings, lookups, journals, table, database, locks)
    records = declare_access_logs(stack.step("access-logs"), settings, lookups)
    key = declare_origin_key(stack.step("guard"), settings, locks)
    domain = stack.step("domain")
    proven = declare_certificates(domain, settings)
    front = declare_balancer(stack.step("alb"), settings, lookups, net, groups, own, records, key, proven)
    ways = declare_endpoints(stack.step("endpoints"), settings, net, groups)
    ground = TaskInputs(net, ways, groups, journals, database, table, rights, front, own, lookups.overrides)
    tasks = declare_services(stack.step("ecs"), settings, ground)
    declare_autoscaling(stack.step("autoscaling"), settings, tasks, front, own)
    acl = declare_firewall(stack.step("waf"), settings, lookups, locks)
    origin = declare_origin_name(domain, settings, front)
    within = declare_vpc_origin(stack.step("cloudfront"), settings, net, front)
    distribution = declare_distribution(stack.step("cloudfront"), settings, front, acl, key, proven, origin, within)
    declare_redirect(stack.step("alb"), front, distribution)
    declare_names(domain, settings, distribution)
    if records:
        declare_edge_log_delivery(stack.step("access-logs"), lookups, records, distribution)
    watched = MonitoredResources(front, tasks, database, table, acl)
    declare_alarms(stack.step("alarms"), settings, lookups, watched, locks)
    declare_dashboard(stack.step("dashboard"), settings, watched)
    declare_boundary(stack.step("boundary"), settings, lookups)
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
    stack.outputs |= domain_outputs(settings, front, distribution)
    for name in settings.api.services:
        stack.outputs[f"ecs_service_name_{name.replace('-', '_')}"] = tasks.services[name]["serviceName"]
    return stack
