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
    stack, *others = (build(variant, suffix, region, lookups) for variant in teardown_variants(settings))
    for other in others:
        for name, resource in other.resources.items():
            declared = stack.resources.setdefault(name, resource)
            further_edges = tuple(edge for edge in resource.edges if edge not in declared.edges)
            stack.resources[name] = replace(declared, edges=(*declared.edges, *further_edges))
    return stack


def build(settings: Settings, suffix: str, region: str, lookups: StackLookups) -> Stack:
    """Return the graph of one stack's resources; makes no call."""
    settings = with_overrides(settings, lookups.overrides)
    stack = Stack(check_suffix(suffix), region, settings.tags)
    service_roles = declare_service_roles(stack.step("account"))
    network = declare_network(stack.step("vpc"), settings, lookups)
    security = declare_security_groups(stack.step("security"), settings, lookups, network)
    keys = declare_keys(stack.step("keys"), settings, lookups)
    log_groups = declare_log_groups(stack.step("logs"), settings, keys)
    declare_flow_logs(stack.step("flow-logs"), settings, lookups, network, keys)
    database = declare_database(
        stack.step("aurora"), settings, lookups, network, security, log_groups, service_roles, keys
    )
    table = declare_sessions_table(stack.step("dynamodb"), settings, keys)
    roles = declare_roles(stack.step("iam"), settings, lookups, log_groups, table, database, keys)
    access_logs = declare_access_logs(stack.step("access-logs"), settings, lookups)
    origin_key = declare_origin_key(stack.step("guard"), settings, keys)
    domain = stack.step("domain")
    certificates = declare_certificates(domain, settings)
    balancer = declare_balancer(
        stack.step("alb"), settings, lookups, network, security, service_roles, access_logs, origin_key, certificates
    )
    endpoints = declare_endpoints(stack.step("endpoints"), settings, network, security)
    inputs = TaskInputs(
        network, endpoints, security, log_groups, database, table, roles, balancer, service_roles, lookups.overrides
    )
    compute = declare_services(stack.step("ecs"), settings, inputs)
    declare_autoscaling(stack.step("autoscaling"), settings, compute, balancer, service_roles)
    web_acl = declare_firewall(stack.step("waf"), settings, lookups, keys)
    origin_name = declare_origin_name(domain, settings, balancer)
    vpc_origin = declare_vpc_origin(stack.step("cloudfront"), settings, network, balancer)
    distribution = declare_distribution(
        stack.step("cloudfront"), settings, balancer, web_acl, origin_key, certificates, origin_name, vpc_origin
    )
    declare_redirect(stack.step("alb"), balancer, distribution)
    declare_names(domain, settings, distribution)
    if access_logs:
        declare_edge_log_delivery(stack.step("access-logs"), lookups, access_logs, distribution)
    monitored = MonitoredResources(balancer, compute, database, table, web_acl)
    declare_alarms(stack.step("alarms"), settings, lookups, monitored, keys)
    declare_dashboard(stack.step("dashboard"), settings, monitored)
    declare_boundary(stack.step("boundary"), settings, lookups)
    # The marker is a role, because a log group or a table may need a KMS key of the stack first.
    stack.marker = roles.execution.logical_id
    stack.outputs = {
        "alb_dns_name": balancer.alb["DNSName"],
        "cloudfront_domain_name": distribution["DomainName"],
        "cloudfront_distribution_url": interpolate("https://{}", distribution["DomainName"]),
        "rds_cluster_endpoint": database.cluster["Endpoint"],
        "dynamodb_table_name": table.id,
        "ecs_cluster_name": compute.cluster["clusterName"],
        "ecs_service_name": compute.service["serviceName"],
        "vpc_id": network.vpc.id,
    }
    if database.readers:
        stack.outputs["rds_reader_endpoint"] = database.cluster["ReaderEndpoint"]
    stack.outputs |= domain_outputs(settings, balancer, distribution)
    for name in settings.api.services:
        stack.outputs[f"ecs_service_name_{name.replace('-', '_')}"] = compute.services[name]["serviceName"]
    return stack
