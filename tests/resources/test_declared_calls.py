"""What a kind declares to call is what its source calls: the policy for an operator is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import provisioner
from provisioner.doctor import muted_alarms
from provisioner.doctor.reads import balancer, database, domain_names, edge, limits, network, scaling, task_roles, tasks
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.health import certificates, cloudwatch, services, targets
from provisioner.iam import reference
from provisioner.preflight import aurora, domain, image_pulls, pull_rules, quota_usage
from provisioner.prices import price_list as asked
from provisioner.resources import (
    RESOURCE_TYPES,
    data_sources,
    key_dependents,
    leftovers,
    origin_key,
    pricing_plans,
    scaling_alarms,
    tags,
    validation_records,
)
from provisioner.resources.ecs import (
    deployment_diagnosis,
    ended_tasks,
    exec_sessions,
    fatal_task_stops,
    revisions,
    rollout_watch,
    rollouts,
    run_revisions,
    standalone_tasks,
)
from provisioner.resources.rds import engine_versions
from tests.support.called_operations import VERBS, calls_in, lookups_in

PROVISIONER = Path(provisioner.__file__).parent


def declared(resource_type: type[ResourceType], verb: str) -> set[tuple[str, str]]:
    return {(resource_type.service, operation) for operation in resource_type.operations_of(verb)}


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_a_kind_declares_each_operation_that_its_verbs_call(name: str) -> None:
    resource_type = type(RESOURCE_TYPES[name])

    found = {verb: calls_in(resource_type, verb) for verb in VERBS}

    assert {verb: declared(resource_type, verb) for verb in VERBS} == found


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_it_is_known_what_iam_asks_for_each_of_them(name: str) -> None:
    resource_type = type(RESOURCE_TYPES[name])
    actions = {
        reference.action_of(resource_type.service, one) for verb in VERBS for one in resource_type.operations_of(verb)
    }

    assert {one for one in actions if reference.find_action(one) is None} == set()


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_every_kind_reads_and_makes_by_calls_that_can_be_seen(name: str) -> None:
    resource_type = type(RESOURCE_TYPES[name])

    assert calls_in(resource_type, "read")
    assert calls_in(resource_type, "create")


class Sly(ResourceType):
    """Calls more than it says, by the ways in which kinds hand their client on."""

    service, id_paths = "iam", "RoleName"
    operations = declare_operations(read="GetRole", delete="DeleteRole")

    def read(self, client: Any, spec: ResourceSpec) -> JsonObject | None:
        found = client.get_role(RoleName=spec.aws_name)
        return dict(_more(spec.aws_name, client) or self._most(asked=client) or found)

    def _most(self, asked: Any) -> JsonObject:
        return dict(asked.list_attached_role_policies(RoleName="a"))

    def create(self, client: Any, spec: ResourceSpec) -> JsonObject:
        return self.read(client, spec) or {}

    def delete(self, client: Any, spec: ResourceSpec) -> None:
        """Nothing."""


def _more(name: str, iam: Any) -> JsonObject:
    return dict(iam.list_role_tags(RoleName=name))


def test_what_is_called_through_functions_and_methods_is_found() -> None:
    called = {"GetRole", "ListRoleTags", "ListAttachedRolePolicies"}

    assert calls_in(Sly, "read") == {("iam", name) for name in called}
    assert calls_in(Sly, "create") == calls_in(Sly, "read")
    assert calls_in(Sly, "delete") == set()
    assert declared(Sly, "read") != calls_in(Sly, "read")
    assert declared(Sly, "delete") != calls_in(Sly, "delete")


# Who may ask what without a kind: declared beside the calls, and granted for the commands that make them.
DECLARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "health/certificates.py": certificates.CALLS,
    "health/cloudwatch.py": cloudwatch.CALLS,
    "health/services.py": services.CALLS,
    "health/targets.py": targets.CALLS,
    "doctor/muted_alarms.py": muted_alarms.CALLS,
    "doctor/reads/balancer.py": balancer.CALLS,
    "doctor/reads/database.py": database.CALLS,
    "doctor/reads/edge.py": edge.CALLS,
    "doctor/reads/task_roles.py": task_roles.CALLS,
    "doctor/reads/limits.py": limits.CALLS,
    "doctor/reads/domain_names.py": domain_names.CALLS,
    "doctor/reads/network.py": network.CALLS,
    "doctor/reads/scaling.py": scaling.CALLS,
    "doctor/reads/tasks.py": tasks.CALLS,
    "commands/origin_secret_rotation.py": origin_key.CALLS,
    "resources/ecs/deployment_diagnosis.py": deployment_diagnosis.CALLS,
    "resources/ecs/ended_tasks.py": ended_tasks.CALLS,
    "resources/ecs/run_revisions.py": run_revisions.CALLS,
    "resources/ecs/standalone_tasks.py": standalone_tasks.CALLS,
    "resources/ecs/revisions.py": revisions.CALLS,
    "resources/ecs/rollouts.py": rollouts.CALLS,
    "resources/ecs/fatal_task_stops.py": fatal_task_stops.CALLS,
    "resources/ecs/rollout_watch.py": rollout_watch.CALLS,
    "resources/ecs/exec_sessions.py": exec_sessions.CALLS,
    "resources/data_sources.py": data_sources.CALLS,
    "resources/leftovers.py": leftovers.CALLS,
    "resources/pricing_plans.py": pricing_plans.CALLS,
    "resources/tags.py": tags.CALLS,
    "resources/scaling_alarms.py": scaling_alarms.CALLS,
    "resources/validation_records.py": validation_records.CALLS,
    "resources/key_dependents.py": key_dependents.CALLS,
    "resources/rds/engine_versions.py": engine_versions.CALLS,
    "preflight/subnet_overlaps.py": quota_usage.CALLS,
    "preflight/domain.py": domain.CALLS,
    "preflight/image_pulls.py": image_pulls.CALLS,
    "preflight/pull_rules.py": pull_rules.CALLS,
    "preflight/aurora.py": aurora.CALLS,
    "preflight/quotas.py": quota_usage.CALLS,
    "preflight/quota_usage.py": quota_usage.CALLS,
    "prices/price_list.py": asked.CALLS,
}
ELSEWHERE = {
    "aws/connection.py": "GetCallerIdentity is everybody's",
    "bucket/creation.py": "the bucket of the state files is not the stack's",
    "resources/ecs/overrides.py": "TaskDefinition reads it too",
    "resources/secretsmanager.py": "secrets say what finding them needs",
}


@pytest.mark.parametrize("name", [*DECLARED, *ELSEWHERE])
def test_what_is_looked_up_without_a_kind_is_declared_beside_it(name: str) -> None:
    found = lookups_in(PROVISIONER / name)

    assert found
    if name in DECLARED:
        told = {(service, one.split()[0]) for service, all_ in DECLARED[name].items() for one in all_}
        assert found <= told


def test_nobody_else_looks_anything_up() -> None:
    modules = (path.relative_to(PROVISIONER) for path in PROVISIONER.rglob("*.py"))
    asking = {str(one) for one in modules if "emulator" not in one.parts and lookups_in(PROVISIONER / one)}

    assert asking == {*DECLARED, *ELSEWHERE}
