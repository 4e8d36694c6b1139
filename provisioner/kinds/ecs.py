"""ECS: cluster, task definition and service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Item, Kind, codes, minutes
from provisioner.engine.refs import Doc
from provisioner.errors import ProvisionerError, RolledBack
from provisioner.kinds.tags import low_pairs, mapping

NO_CLUSTER = codes("ClusterNotFoundException")
# A role or service-linked role that is seconds old (terraform-provider-aws ecs/cluster.go: 2 min).
_NEW_ROLE = codes(
    "InvalidParameterException: unable to assume",
    "InvalidParameterException: verify that the ecs service role",
    "ClientException: unable to assume",
)


class _Ecs(Kind):
    """What is tagged by its ARN."""

    service = "ecs"

    def retag(self, ecs: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        if put:
            ecs.tag_resource(resourceArn=it.id, tags=low_pairs(put))
        if gone := list(drop):
            ecs.untag_resource(resourceArn=it.id, tagKeys=gone)


class Cluster(_Ecs):
    """A cluster, with the capacity it may use."""

    key, named, noun = "clusterArn", "clusterName", "cluster"
    ready, going = {"status": "ACTIVE"}, {"status": "DEPROVISIONING"}
    # It stays describable.
    gone = {"status": "INACTIVE"}
    fixed = frozenset({"clusterName"})
    absent = NO_CLUSTER
    transient = {
        "create": _NEW_ROLE,
        "update": codes("UpdateInProgressException", "ResourceInUseException", "ClientException: not active"),
        "delete": codes(
            "ClusterContainsServicesException",
            "ClusterContainsTasksException",
            "ClusterContainsContainerInstancesException",
            "ClusterContainsCapacityProviderException",
            "UpdateInProgressException",
        ),
    }
    patience = minutes(20)

    def read(self, ecs: Any, it: Item) -> Doc | None:
        """DescribeClusters; one that never was is told among the failures."""
        include = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
        found = ecs.describe_clusters(clusters=[it.props["clusterName"]], include=include)["clusters"]
        return {**found[0], "Tags": mapping(found[0].get("tags", []))} if found else None

    def create(self, ecs: Any, it: Item) -> Doc:
        """CreateCluster, capacity providers included."""
        return dict(ecs.create_cluster(**it.props, tags=low_pairs(it.tags))["cluster"])

    def update(self, ecs: Any, it: Item, changed: Doc) -> None:
        """UpdateCluster, PutClusterCapacityProviders (which replaces both lists)."""
        if "settings" in changed:
            ecs.update_cluster(cluster=it.id, settings=changed["settings"])
        if {"capacityProviders", "defaultCapacityProviderStrategy"} & changed.keys():
            ecs.put_cluster_capacity_providers(
                cluster=it.id,
                capacityProviders=it.props["capacityProviders"],
                defaultCapacityProviderStrategy=it.props["defaultCapacityProviderStrategy"],
            )

    def delete(self, ecs: Any, it: Item) -> None:
        """DeleteCluster."""
        ecs.delete_cluster(cluster=it.id)


class TaskDefinition(_Ecs):
    """One revision of what a task is; nothing of it can change, so every change is a new revision."""

    key, named, noun = "taskDefinitionArn", "family", "taskdef"
    # "Unable to describe task definition."
    absent = codes("ClientException")
    gone = {"status": frozenset({"INACTIVE", "DELETE_IN_PROGRESS"})}

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


class Service(_Ecs):
    """Keeps a number of tasks running behind a load balancer."""

    key, named, noun = "serviceArn", "serviceName", "service"
    ready = {"Rollout": "COMPLETED"}
    failed, on_failure = {"Rollout": frozenset({"FAILED", "ROLLED_BACK"})}, "update"
    going, gone = {"status": "DRAINING"}, {"status": "INACTIVE"}
    fixed = frozenset({"serviceName", "cluster", "schedulingStrategy"})
    # Autoscaling owns the count once the service lives.
    initial = frozenset({"desiredCount"})
    within = ("cluster",)
    absent = NO_CLUSTER | codes("ServiceNotFoundException", "ServiceNotActiveException")
    duplicate = codes("InvalidParameterException: not idempotent")
    transient = {
        "create": _NEW_ROLE
        | codes(
            "InvalidParameterException: does not have an associated load balancer",
            "InvalidParameterException: still draining",
        ),
        "update": _NEW_ROLE | codes("InvalidParameterException: does not have an associated load balancer"),
        "delete": codes("InvalidParameterException: deployments are active", "DependencyViolation"),
    }
    # Rollout 1 to 4 min; draining lasts as long as the target group's deregistration delay.
    takes, takes_to_go, patience, stale_for = 60, 60, minutes(40), 2

    def read(self, ecs: Any, it: Item) -> Doc | None:
        """DescribeServices, with the state of its rollout worked out."""
        name, cluster = it.props["serviceName"], it.props["cluster"]
        found = ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"]
        if not found:
            return None
        doc = found[0]
        return {
            **doc,
            "cluster": doc["clusterArn"],
            "Rollout": _rollout(doc, it.props.get("taskDefinition")),
            "Tags": mapping(doc.get("tags", [])),
        }

    def create(self, ecs: Any, it: Item) -> Doc:
        """CreateService, with our own token."""
        made = ecs.create_service(**it.props, clientToken=it.token, tags=low_pairs(it.tags))
        return dict(made["service"])

    def update(self, ecs: Any, it: Item, changed: Doc) -> None:
        """UpdateService; a new strategy alone would not start a deployment, so it is forced."""
        ecs.update_service(
            cluster=it.props["cluster"],
            service=it.id,
            forceNewDeployment="taskDefinition" not in changed,
            **changed,
        )

    def delete(self, ecs: Any, it: Item) -> None:
        """DeleteService, tasks and all; a draining one may be asked again."""
        ecs.delete_service(cluster=it.props["cluster"], service=it.id, force=True)

    def failure(self, ecs: Any, it: Item, doc: Doc) -> ProvisionerError:
        """Why the deployment failed, in ECS's own last words."""
        events = [event["message"] for event in doc.get("events", [])[:3]]
        reasons = [one["rolloutStateReason"] for one in doc["deployments"] if one.get("rolloutStateReason")]
        told = "; ".join([*reasons, *events]) or "ECS gives no reason"
        return RolledBack(
            f"The deployment of {it.name} failed: {told}",
            "Mend the image, its port or its health path (settings `image`, `container.port`, "
            "`container.health_path`), then run the same command again: it starts a new deployment.",
        )


def _rollout(doc: Doc, wanted: Any) -> str:
    """COMPLETED only when the tasks that run are of the revision that was asked for, and all of them."""
    none: Doc = {}
    listed = doc.get("deployments", [])
    primary = next((one for one in listed if one["status"] == "PRIMARY"), none)
    asked = str(wanted) if str(wanted).startswith("arn:") else primary.get("taskDefinition")
    mine = [one.get("rolloutState") for one in listed if one.get("taskDefinition") == asked]
    if "FAILED" in mine:
        return "FAILED"
    if primary.get("rolloutState") != "COMPLETED" or doc["runningCount"] < doc["desiredCount"]:
        return "IN_PROGRESS"
    return "COMPLETED" if primary.get("taskDefinition") == asked else "ROLLED_BACK"


def _container(container: Doc) -> Doc:
    lists = {key: json.dumps(container[key]) for key in ("command", "entryPoint") if container.get(key)}
    return {**container, **lists}
