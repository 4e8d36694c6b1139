"""The ECS cluster, with its capacity providers."""

from __future__ import annotations

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND, ROLE_NOT_VISIBLE, EcsResourceType
from provisioner.resources.ecs.foreign_workloads import OPERATIONS, cluster_blockers
from provisioner.resources.field_owners.ecs import CLUSTER
from provisioner.resources.tags import lower_case_pairs, mapping
from provisioner.service_clients import ECS

# botocore ecs DescribeClusters: the most clusters in one call.
_MAX_CLUSTERS = 100


class Cluster(EcsResourceType):
    """An ECS cluster with its capacity providers."""

    id_paths, name_property, noun = "clusterArn", "clusterName", "cluster"
    pricing = Pricing(by_use="Container Insights metrics")
    ownership = CLUSTER
    id_is_name = True
    ready, deleting = {"status": "ACTIVE"}, {"status": "DEPROVISIONING"}
    # A deleted cluster can still be described.
    deleted = {"status": "INACTIVE"}
    # ECS API reference, Cluster
    status_classes = (
        StatusClasses(
            "status",
            in_lower_case("ACTIVE"),
            in_lower_case("PROVISIONING"),
            in_lower_case("FAILED"),
            in_lower_case("DEPROVISIONING INACTIVE"),
        ),
    )
    immutable = frozenset({"clusterName"})
    replacing_calls = {"UpdateCluster": ""}
    defaults = {"configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}}
    not_found_codes = CLUSTER_NOT_FOUND
    retryable_codes = {
        "create": ROLE_NOT_VISIBLE,
        "update": codes("UpdateInProgressException", "ResourceInUseException", "ClientException: not active"),
        "delete": codes(
            "ClusterContainsServicesException",
            "ClusterContainsTasksException",
            "ClusterContainsContainerInstancesException",
            "ClusterContainsCapacityProviderException",
            "UpdateInProgressException",
        ),
    }
    timeout = minutes(20)
    iam_type, arn_properties = "cluster", ("{clusterName}",)
    operations = declare_operations(
        unmanaged="ListServices",
        read="DescribeClusters",
        create="CreateCluster",
        update="PutClusterCapacityProviders UpdateCluster",
        delete="DeleteCluster",
        blockers=OPERATIONS,
    )

    def read(self, ecs: ECS, spec: ResourceSpec) -> JsonObject | None:
        """Return the cluster with its tags (DescribeClusters), or None if it is missing."""
        own_name = spec.props["clusterName"]
        names = ecs.batch_scope.batch(own_name, "Cluster", by="name", most=_MAX_CLUSTERS)
        reply = ecs.describe_clusters(clusters=names, include=["TAGS", "SETTINGS", "CONFIGURATIONS"])
        cluster = next((actual for actual in reply["clusters"] if actual["clusterName"] == own_name), None)
        return {**cluster, "Tags": mapping(cluster.get("tags", []))} if cluster else None

    def create(self, ecs: ECS, spec: ResourceSpec) -> JsonObject:
        """Create the cluster together with its capacity providers (CreateCluster)."""
        return dict(ecs.create_cluster(**spec.props, tags=lower_case_pairs(spec.tags))["cluster"])

    def update(self, ecs: ECS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Update the settings (UpdateCluster) and the capacity providers (PutClusterCapacityProviders).

        PutClusterCapacityProviders replaces the capacity providers and the default strategy, so both are
        sent.
        """
        settings = {key: changed[key] for key in ("settings", "configuration") if key in changed}
        if settings:
            ecs.update_cluster(cluster=spec.id, **settings)
        if {"capacityProviders", "defaultCapacityProviderStrategy"} & changed.keys():
            ecs.put_cluster_capacity_providers(
                cluster=spec.id,
                capacityProviders=spec.props["capacityProviders"],
                defaultCapacityProviderStrategy=spec.props["defaultCapacityProviderStrategy"],
            )

    def unmanaged(self, ecs: ECS, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the services of the cluster that nobody declared (ListServices)."""
        declared = children.values("serviceName")
        arns = ecs.list_services(cluster=spec.id)["serviceArns"]
        names = [arn.rpartition("/")[2] for arn in arns]
        hint = "it runs beside ours; delete it before a teardown, which it would hold up"
        return [Unmanaged(f"service {name}", {}, hint) for name in names if name not in declared]

    def delete(self, ecs: ECS, spec: ResourceSpec) -> None:
        """Delete the cluster (DeleteCluster)."""
        ecs.delete_cluster(cluster=spec.id)

    def blockers(self, ecs: ECS, spec: ResourceSpec) -> list[Blocker]:
        """Return the services in the cluster, and the tasks of others: they block deleting it."""
        return cluster_blockers(ecs, spec.suffix)
