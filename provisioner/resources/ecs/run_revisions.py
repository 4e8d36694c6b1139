"""Revisions for `run --image`: in a family of their own, and deleted as soon as their task has started.

A task goes on when its revision is deleted (ECS developer guide, task definition states). No service ever runs
such a revision, and `releases`, `rollback` and `plan` look at the families of the services only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from provisioner.engine.calls.clients import Clients
from provisioner.engine.execution.consistency import RecentResources
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.resource_graph.references import JsonObject, reveal_secrets
from provisioner.names import name_of
from provisioner.resources.ecs.revisions import is_same_revision, list_revisions
from provisioner.resources.ecs.task_definitions import with_sensitive_variables
from provisioner.resources.tags import lower_case_pairs
from provisioner.service_clients import ECS

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {
    "ecs": (
        "DeleteTaskDefinitions ml-api-*run-taskdef*-{suffix}",
        "DeregisterTaskDefinition",
        "RegisterTaskDefinition ml-api-*run-taskdef*-{suffix}",
        "TagResource task-definition=ml-api-*run-taskdef*-{suffix}",
    )
}
# botocore ecs DeleteTaskDefinitions: the most revisions in one call. There is one, and one for each killed run.
_MAX_REVISIONS = 10


def run_family(service: str, suffix: str) -> str:
    """Return the family for the `run --image` of a service; "" is the main service."""
    return name_of("api-run-taskdef" if service else "run-taskdef", suffix, service)


def register_run_revision(
    clients: Clients, props: JsonObject, suffix: str, tags: Mapping[str, str], recent: RecentResources | None = None
) -> JsonObject:
    """Return a revision with these properties: one that a killed run has left, else a new one.

    The call may be repeated: `delete_run_revisions` deletes whatever the family has.
    """
    left = list_revisions(clients, props["family"], suffix, _MAX_REVISIONS)
    if same := next((revision for revision in left if is_same_revision(props, revision)), None):
        return same
    arguments = reveal_secrets(props, clients, lambda reference: reference)
    ecs = clients.client(ECS)
    call = partial(ecs.register_task_definition, **arguments, tags=lower_case_pairs(tags))
    return with_sensitive_variables(call_with_retry(clients, call, recent)["taskDefinition"])


def delete_run_revisions(clients: Clients, registered: JsonObject, suffix: str) -> None:
    """Deregister and delete a registered revision, with those of its family that killed runs have left."""
    ecs = clients.client(ECS)
    left = list_revisions(clients, registered["family"], suffix, _MAX_REVISIONS)
    arns = list(dict.fromkeys(revision["taskDefinitionArn"] for revision in (registered, *left)))[:_MAX_REVISIONS]
    for arn in arns:
        call_with_retry(clients, partial(ecs.deregister_task_definition, taskDefinition=arn))
    call_with_retry(clients, partial(ecs.delete_task_definitions, taskDefinitions=arns))
