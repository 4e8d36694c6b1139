"""The list of all checks of `doctor`, from CloudFront to the database.

A row has the name of a check, what is true if nothing is wrong, the functions that read from AWS (most of them in
`doctor/reads/`), and the function that judges what they return. The order matters: `doctor` shows the first problem
that is no symptom.
"""

from __future__ import annotations

from provisioner.doctor import (
    balancer,
    checked_resources,
    database,
    domain_names,
    edge,
    limits,
    muted_alarms,
    scaling,
    security_groups,
    subnet_routes,
    task_roles,
    tasks,
)
from provisioner.doctor.check import Check, in_stage, required
from provisioner.doctor.checked_resources import read_recorded_resources
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.muted_alarms import read_mute_rules
from provisioner.doctor.reads.balancer import (
    read_balancer,
    read_foreign_targets,
    read_listener_rules,
    read_listeners,
    read_target_health,
)
from provisioner.doctor.reads.database import (
    read_db_cluster,
    read_db_instances,
    read_db_subnet_group,
    read_end_of_support,
    read_session_table,
)
from provisioner.doctor.reads.domain_names import read_alias_records, read_certificates, read_origin_records
from provisioner.doctor.reads.edge import read_distribution, read_origin_path
from provisioner.doctor.reads.limits import read_fargate_quotas, read_firewall, read_stack_metrics
from provisioner.doctor.reads.network import (
    read_dns_attributes,
    read_edge_prefix_lists,
    read_nat_gateways,
    read_network_acls,
    read_route_tables,
    read_security_groups,
    read_subnets,
    read_vpc,
    read_vpc_endpoints,
)
from provisioner.doctor.reads.scaling import read_minimum_tasks, read_scaled_services
from provisioner.doctor.reads.task_roles import read_secret_keys, read_secrets, read_task_roles
from provisioner.doctor.reads.tasks import (
    read_deployment_outcomes,
    read_images,
    read_log_groups,
    read_main_service,
    read_services,
    read_stopped_tasks,
    read_task_definitions,
    read_waiting_hooks,
)

# What a check reads of a resource that must exist, else the check is not made.
_distribution = required(read_distribution)
_balancer = required(read_balancer)
_vpc = required(read_vpc)
_db_cluster = required(read_db_cluster)
_db_subnet_group = required(read_db_subnet_group)
_session_table = required(read_session_table)


def _now(context: DoctorContext) -> float:
    """Return the wall-clock second of the run."""
    return context.now


_EDGE = in_stage(
    "edge",
    Check(
        "distribution",
        "enabled and deployed",
        (read_distribution,),
        edge.distribution_is_deployed,
        checks_existence=True,
    ),
    Check("viewers", "it admits every viewer", (_distribution,), edge.distribution_admits_viewers),
    Check("dns", "its names lead to it", (_distribution, read_alias_records), domain_names.names_reach_distribution),
    Check("certificate", "issued, and renewed in time", (read_certificates, _now), domain_names.certificates_are_valid),
    Check("firewall", "it lets requests through", (read_firewall,), limits.firewall_admits_viewers),
    Check(
        "origin",
        "CloudFront calls the load balancer, where it listens",
        (read_origin_path, _balancer, read_listeners, read_origin_records),
        edge.origin_is_balancer,
    ),
    Check(
        "origin-header",
        "the load balancer accepts CloudFront's key",
        (_distribution, read_listener_rules),
        edge.origin_key_matches,
    ),
)
_BALANCER = in_stage(
    "balancer",
    Check("balancer", "active", (read_balancer,), balancer.balancer_is_active, checks_existence=True),
    Check(
        "rules",
        "each service gets requests",
        (read_listeners, read_listener_rules, read_services),
        balancer.rules_reach_services,
    ),
    Check(
        "requests", "they reach a task unchanged", (read_listeners, read_listener_rules), balancer.rules_keep_requests
    ),
    Check("rule-order", "no rule hides another", (read_listener_rules,), balancer.rules_are_reachable),
    Check(
        "way-in",
        "its subnets have a route to the internet",
        (_balancer, read_route_tables),
        subnet_routes.balancer_has_internet_route,
    ),
    Check(
        "path-in",
        "CloudFront gets through to it",
        (read_origin_path, _balancer, read_security_groups, read_edge_prefix_lists, read_network_acls),
        security_groups.edge_reaches_balancer,
    ),
    Check(
        "path-to-tasks",
        "it reaches the tasks' port",
        (_balancer, read_services, read_security_groups, _vpc, read_network_acls),
        security_groups.balancer_reaches_tasks,
    ),
    Check("targets", "healthy", (read_target_health,), balancer.targets_are_healthy, is_symptom=True),
    Check("registered", "all targets are tasks", (read_foreign_targets,), balancer.targets_are_tasks),
    Check("answers", "few are errors", (read_stack_metrics,), limits.responses_succeed, is_symptom=True),
)
_TASKS = in_stage(
    "tasks",
    Check("service", "active", (read_main_service, read_minimum_tasks), tasks.service_is_active, checks_existence=True),
    Check("placement", "ECS finds room for every task", (read_services,), tasks.tasks_are_placed),
    Check("quotas", "one more task fits", (read_fargate_quotas,), limits.quotas_leave_room),
    Check("image", "tasks can pull it", (read_images,), tasks.images_are_pullable),
    Check("log-group", "the tasks can log", (read_task_definitions, read_log_groups), tasks.log_groups_exist),
    Check("roles", "ECS may assume them", (read_task_roles,), task_roles.roles_are_assumable),
    Check("secret-rights", "the secrets may be read", (read_task_roles, read_secrets), task_roles.secrets_are_readable),
    Check("table-rights", "the tasks may use the table", (read_task_roles, _session_table), task_roles.table_is_usable),
    Check("key", "the secrets can be decrypted", (read_task_roles, read_secret_keys), task_roles.keys_are_usable),
    Check("secrets", "each has a current value", (read_secrets,), task_roles.secrets_have_values),
    Check("scaling", "none of it is suspended", (read_scaled_services,), scaling.scaling_is_active),
    Check("scaling-alarms", "they call its policies", (read_scaled_services,), scaling.policy_alarms_exist),
    Check(
        "scaling-from-0", "something starts a task again", (read_scaled_services,), scaling.service_can_scale_from_zero
    ),
    Check("schedules", "none ends a service for good", (read_scaled_services,), scaling.schedule_keeps_tasks),
    Check("stopped", "no task stops unexpectedly", (read_stopped_tasks,), tasks.tasks_stay_running, is_symptom=True),
    Check(
        "deployment",
        "completed",
        (read_services, read_deployment_outcomes, read_waiting_hooks),
        tasks.deployments_completed,
        is_symptom=True,
    ),
    Check("running", "as many as desired", (read_services,), tasks.task_count_is_met, is_symptom=True),
)
_NETWORK = in_stage(
    "network",
    Check("vpc", "it exists", (read_vpc,), subnet_routes.vpc_exists, checks_existence=True),
    Check("names", "AWS's resolver answers in it", (read_dns_attributes,), subnet_routes.dns_is_enabled),
    Check(
        "routes",
        "the tasks have a way out",
        (read_services, read_subnets, read_route_tables, read_vpc_endpoints),
        subnet_routes.tasks_have_route_out,
    ),
    Check(
        "nat",
        "the gateways are available, and have a way out",
        (read_services, read_subnets, read_route_tables, read_nat_gateways, read_network_acls),
        subnet_routes.nat_gateways_work,
    ),
    Check(
        "endpoints",
        "available, in the tasks' tables",
        (read_vpc_endpoints, read_services, read_subnets, read_route_tables),
        subnet_routes.endpoints_work,
    ),
    Check(
        "endpoint-path",
        "the endpoints let the tasks in",
        (read_services, read_vpc_endpoints, read_security_groups, _vpc),
        security_groups.tasks_reach_endpoints,
    ),
    Check(
        "way-to-aws",
        "the tasks may call AWS",
        (read_services, read_security_groups, read_network_acls),
        security_groups.tasks_reach_aws,
    ),
    Check(
        "addresses", "the tasks' subnets have some", (read_services, read_subnets), subnet_routes.subnets_have_addresses
    ),
)
_DATABASE = in_stage(
    "database",
    Check("cluster", "it answers", (read_db_cluster,), database.cluster_is_available, checks_existence=True),
    Check("writer", "it is available", (_db_cluster, read_db_instances), database.writer_is_available),
    Check(
        "support",
        "AWS supports its version for long",
        (_db_cluster, read_end_of_support, _now),
        database.version_is_supported,
    ),
    Check("subnet-group", "in the tasks' VPC", (read_db_subnet_group, _vpc), database.cluster_is_in_vpc),
    Check(
        "path",
        "the tasks reach its port",
        (read_services, _db_cluster, _db_subnet_group, read_security_groups, _vpc, read_network_acls),
        security_groups.tasks_reach_database,
    ),
    Check("capacity", "it has some left", (read_stack_metrics, _db_cluster), limits.database_has_capacity),
    Check("table", "active", (read_session_table,), database.table_is_active, checks_existence=True),
    Check("throttles", "none", (read_stack_metrics, _session_table), limits.table_is_not_throttled),
)
_RESOURCES = in_stage(
    "resources",
    Check("alarms", "nobody mutes them", (read_mute_rules,), muted_alarms.alarms_are_not_muted),
    Check(
        "states",
        "each exists and is healthy",
        (read_recorded_resources,),
        checked_resources.resources_are_healthy,
        is_symptom=True,
    ),
)
CHECKS: tuple[Check, ...] = (*_EDGE, *_BALANCER, *_TASKS, *_NETWORK, *_DATABASE, *_RESOURCES)
# The checks that read network ACLs: `status` and `report` make only these.
ACL_CHECKS = tuple(check for check in CHECKS if read_network_acls in check.reads)
