"""What a task is."""

from __future__ import annotations

import json
from typing import Any

from provisioner.engine.kind import Item, calling, codes
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.tagged import Ecs
from provisioner.kinds.tags import low_pairs, mapping


class TaskDefinition(Ecs):
    """One revision of what a task is; nothing of it can change, so every change is a new revision."""

    key, named, noun = "taskDefinitionArn", "family", "taskdef"
    # "Unable to describe task definition."
    absent = codes("ClientException")
    gone = {"status": frozenset({"INACTIVE", "DELETE_IN_PROGRESS"})}
    resource, fills = "task-definition", ("{family}",)
    calls = calling(
        read="DescribeTaskDefinition",
        create="RegisterTaskDefinition",
        delete="DeleteTaskDefinitions DeregisterTaskDefinition DescribeTaskDefinition",
    )

    def read(self, ecs: Any, it: Item) -> Doc | None:
        """DescribeTaskDefinition: this revision, else the family's newest that is not retired."""
        name = it.id or it.props["family"]
        found = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
        doc = found["taskDefinition"]
        if doc["taskDefinitionArn"] in it.shunned:
            return None
        return {**doc, "Tags": mapping(found.get("tags", []))}

    def create(self, ecs: Any, it: Item) -> Doc:
        """RegisterTaskDefinition: always makes a new revision, so it is only called after looking."""
        made = ecs.register_task_definition(**it.props, tags=low_pairs(it.tags))
        return dict(made["taskDefinition"])

    def delete(self, ecs: Any, it: Item) -> None:
        """DeregisterTaskDefinition, then DeleteTaskDefinitions, which takes inactive ones only."""
        found = ecs.describe_task_definition(taskDefinition=it.id)["taskDefinition"]
        if found["status"] == "ACTIVE":
            ecs.deregister_task_definition(taskDefinition=it.id)
        ecs.delete_task_definitions(taskDefinitions=[it.id])

    def canonical(self, doc: Doc) -> Doc:
        """Containers by name; commands keep their order."""
        containers = {one["name"]: _container(one) for one in doc.get("containerDefinitions", [])}
        return {**doc, "containerDefinitions": containers}


def _container(container: Doc) -> Doc:
    lists = {key: json.dumps(container[key]) for key in ("command", "entryPoint") if container.get(key)}
    return {**container, **lists}
