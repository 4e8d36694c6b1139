"""The ECS task definition."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import SensitiveValue
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import PROJECT
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND, EcsResourceType
from provisioner.resources.ecs.described_services import describe_services
from provisioner.resources.field_owners.ecs import TASK_DEFINITION
from provisioner.resources.tags import lower_case_pairs, mapping, read_tags
from provisioner.service_clients import ECS
from provisioner.settings.variables import OWN_VARIABLES


class TaskDefinition(EcsResourceType):
    """One revision of a task definition. A revision cannot change, so every change creates a new one."""

    deleted_at_reply = True
    id_paths, name_property, noun = "taskDefinitionArn", "family", "taskdef"
    pricing = FREE
    ownership = TASK_DEFINITION
    # Several revisions of one family exist side by side.
    unique_properties = ()
    # An old revision that no service runs costs nothing, and `rollback` can go back to it.
    retained_for = "`rollback`"
    # "Unable to describe task definition."
    not_found_codes = codes("ClientException")
    deleted = {"status": frozenset({"INACTIVE", "DELETE_IN_PROGRESS"})}
    # botocore ecs TaskDefinitionStatus
    status_classes = (
        StatusClasses("status", in_lower_case("ACTIVE"), gone=in_lower_case("INACTIVE DELETE_IN_PROGRESS")),
    )
    iam_type, arn_properties = "task-definition", ("{family}",)
    operations = declare_operations(
        read="DescribeServices DescribeTaskDefinition ListTaskDefinitionFamilies",
        create="RegisterTaskDefinition",
        delete="DeleteTaskDefinitions DeregisterTaskDefinition DescribeTaskDefinition",
    )

    def read(self, ecs: ECS, spec: ResourceSpec) -> JsonObject | None:
        """Return this revision, or the newest active revision of the family (DescribeTaskDefinition).

        A revision never changes. So the recorded one is returned without describing it again if it still has
        its tags, a service runs it, and its family is active. One list of the active families tells of all that
        are read together whether there is anything to describe.
        """
        if recorded := _recorded_revision(ecs, spec):
            return recorded
        family = spec.id.rpartition("/")[2].rpartition(":")[0] or spec.props["family"]
        if ecs.shares_reads and family not in _active_families(ecs):
            return None
        name = spec.id or family
        reply = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
        actual = with_sensitive_variables(reply["taskDefinition"])
        if actual["taskDefinitionArn"] in spec.excluded_ids:
            return None
        return {**actual, "Tags": mapping(reply.get("tags", []))}

    def create(self, ecs: ECS, spec: ResourceSpec) -> JsonObject:
        """Register a new revision (RegisterTaskDefinition).

        The call creates another revision each time, so it is made only after none was found.
        """
        reply = ecs.register_task_definition(**spec.props, tags=lower_case_pairs(spec.tags))
        return with_sensitive_variables(reply["taskDefinition"])

    def delete(self, ecs: ECS, spec: ResourceSpec) -> None:
        """Deregister the revision, then delete it: DeleteTaskDefinitions accepts inactive revisions only."""
        task_definition = ecs.describe_task_definition(taskDefinition=spec.id)["taskDefinition"]
        if task_definition["status"] == "ACTIVE":
            ecs.deregister_task_definition(taskDefinition=spec.id)
        ecs.delete_task_definitions(taskDefinitions=[spec.id])

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the definition with its containers by name, and without values that AWS adds by itself.

        Both sides of a comparison are normalized, because a revision that was made from a described one has the
        added values too.
        """
        containers = {each["name"]: _comparable_container(each) for each in actual.get("containerDefinitions", [])}
        normal = {**actual, "containerDefinitions": containers}
        if "volumes" in actual:
            normal["volumes"] = [{key: value for key, value in each.items() if value} for each in actual["volumes"]]
        return normal


def with_sensitive_variables(actual: JsonObject) -> JsonObject:
    """Return a described revision with its variables marked sensitive, except those that every stack sets."""
    containers = [_with_sensitive_environment(container) for container in actual.get("containerDefinitions", [])]
    return {**actual, "containerDefinitions": containers}


def _with_sensitive_environment(container: JsonObject) -> JsonObject:
    """Return a container definition with its variables marked sensitive."""
    if "environment" not in container:
        return container
    return {**container, "environment": [_as_sensitive(variable) for variable in container["environment"]]}


def _as_sensitive(variable: JsonObject) -> JsonObject:
    """Return a variable with its value marked sensitive, unless it already is or every stack sets it."""
    name = str(variable["name"])
    is_done = name in OWN_VARIABLES or isinstance(variable["value"], SensitiveValue)
    return variable if is_done else {**variable, "value": SensitiveValue(name, str(variable["value"]))}


def _recorded_revision(ecs: ECS, spec: ResourceSpec) -> JsonObject | None:
    """Return the recorded revision if it can be relied on without describing it; else None.

    Its family must be active, its tags must be as desired, and a service must run it.
    """
    peer = ecs.batch_scope.get(spec.id)
    if peer is None or peer.recorded is None:
        return None
    tags = read_tags(ecs, spec, spec.id, lambda: None)
    if spec.props["family"] not in _active_families(ecs) or tags is None or spec.id not in _revisions_in_use(ecs):
        return None
    return {**peer.recorded, "taskDefinitionArn": spec.id, "status": "ACTIVE", "Tags": tags}


def _active_families(ecs: ECS) -> list[str]:
    """Return the families of all stacks that have an active revision (ListTaskDefinitionFamilies)."""
    return list(ecs.list_task_definition_families(familyPrefix=f"{PROJECT}-", status="ACTIVE")["families"])


def _revisions_in_use(ecs: ECS) -> set[str]:
    """Return the ARNs of the revisions of the services that this run reads (DescribeServices)."""
    services = (peer.id for peer in ecs.batch_scope.resources if peer.type_name == "Service")
    try:
        listed = [described for arn in services for described in describe_services(ecs, arn, arn.rsplit("/", 2)[-2])]
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return set()
    return {described["taskDefinition"] for described in listed}


def _comparable_container(container: JsonObject) -> JsonObject:
    """Return a container definition in the form for comparisons."""
    # The order of these two lists counts, so they are compared as text.
    lists: dict[str, Any] = {key: json.dumps(container[key]) for key in ("command", "entryPoint") if container.get(key)}
    if ports := container.get("portMappings"):
        lists["portMappings"] = [_comparable_port(each) for each in ports]
    return {**container, **lists}


def _comparable_port(port: JsonObject) -> JsonObject:
    """Return a port mapping without a host port that equals the container port.

    With awsvpc, AWS sets it to the container port (botocore ecs PortMapping, hostPort).
    """
    is_same = port.get("hostPort") == port.get("containerPort")
    return {key: value for key, value in port.items() if not (key == "hostPort" and is_same)}
