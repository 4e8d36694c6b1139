"""The ECS task definition."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import SensitiveValue
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import PROJECT
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND, EcsResourceType
from provisioner.resources.ecs.service import describe_services
from provisioner.resources.ownership.ecs import TASK_DEFINITION
from provisioner.resources.tags import lower_case_pairs, mapping, read_tags
from provisioner.settings.variables import OWN_VARIABLES


class TaskDefinition(EcsResourceType):
    """One revision of a task definition. A revision cannot change, so every change creates a new one."""

    id_paths, name_property, noun = "taskDefinitionArn", "family", "taskdef"
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

    def read(self, ecs: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return this revision, or the newest active revision of the family (DescribeTaskDefinition).

        A revision never changes. So the recorded one is returned without describing it again if it still has
        its tags, a service runs it, and its family is active.
        """
        if known := _recorded_revision(ecs, spec):
            return known
        name = spec.id or spec.props["family"]
        found = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
        actual = with_sensitive_variables(found["taskDefinition"])
        if actual["taskDefinitionArn"] in spec.excluded_ids:
            return None
        return {**actual, "Tags": mapping(found.get("tags", []))}

    def create(self, ecs: Any, spec: ResourceSpec) -> JsonObject:
        """Register a new revision (RegisterTaskDefinition).

        The call creates another revision each time, so it is made only after none was found.
        """
        made = ecs.register_task_definition(**spec.props, tags=lower_case_pairs(spec.tags))
        return with_sensitive_variables(made["taskDefinition"])

    def delete(self, ecs: Any, spec: ResourceSpec) -> None:
        """Deregister the revision, then delete it: DeleteTaskDefinitions accepts inactive revisions only."""
        found = ecs.describe_task_definition(taskDefinition=spec.id)["taskDefinition"]
        if found["status"] == "ACTIVE":
            ecs.deregister_task_definition(taskDefinition=spec.id)
        ecs.delete_task_definitions(taskDefinitions=[spec.id])

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return the definition with its containers keyed by name, and without what AWS adds by itself.

        The order of commands is kept. AWS's additions are removed on both sides of a comparison, because a
        revision that was made from a described one states them too.
        """
        containers = {one["name"]: _comparable_container(one) for one in actual.get("containerDefinitions", [])}
        volumes = [{key: value for key, value in one.items() if value} for one in actual.get("volumes", [])]
        told = {"volumes": volumes} if "volumes" in actual else {}
        return {**actual, **told, "containerDefinitions": containers}


def with_sensitive_variables(actual: JsonObject) -> JsonObject:
    """Return a described revision with its variables marked sensitive, except those that every stack sets."""
    containers = [
        {**one, "environment": [_as_sensitive(each) for each in one["environment"]]} if "environment" in one else one
        for one in actual.get("containerDefinitions", [])
    ]
    return {**actual, "containerDefinitions": containers}


def _as_sensitive(variable: JsonObject) -> JsonObject:
    name = str(variable["name"])
    is_own = name in OWN_VARIABLES or isinstance(variable["value"], SensitiveValue)
    return variable if is_own else {**variable, "value": SensitiveValue(name, str(variable["value"]))}


def _recorded_revision(ecs: Any, spec: ResourceSpec) -> JsonObject | None:
    """Return the recorded revision if all that is visible without describing it still holds, else None."""
    peer = ecs.batch_scope.get(spec.id)
    if peer is None or peer.recorded is None:
        return None
    families = ecs.list_task_definition_families(familyPrefix=f"{PROJECT}-", status="ACTIVE")["families"]
    tags = read_tags(ecs, spec, spec.id, lambda: None)
    if spec.props["family"] not in families or tags is None or spec.id not in _revisions_in_use(ecs):
        return None
    return {**peer.recorded, "taskDefinitionArn": spec.id, "status": "ACTIVE", "Tags": tags}


def _revisions_in_use(ecs: Any) -> set[str]:
    """Return the revisions that the services read in this run have (DescribeServices)."""
    services = (peer.id for peer in ecs.batch_scope.resources if peer.type_name == "Service")
    try:
        listed = [actual for arn in services for actual in describe_services(ecs, arn, arn.rsplit("/", 2)[-2])]
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return set()
    return {actual["taskDefinition"] for actual in listed}


def _comparable_container(container: JsonObject) -> JsonObject:
    # The order of these two lists counts, so they are compared as text.
    lists: JsonObject = {key: json.dumps(container[key]) for key in ("command", "entryPoint") if container.get(key)}
    if ports := container.get("portMappings"):
        lists["portMappings"] = [_comparable_port(one) for one in ports]
    return {**container, **lists}


def _comparable_port(mapping: JsonObject) -> JsonObject:
    """Remove the host port: under awsvpc it is the container's (botocore ecs PortMapping, hostPort)."""
    same = mapping.get("hostPort") == mapping.get("containerPort")
    return {key: value for key, value in mapping.items() if not (key == "hostPort" and same)}
