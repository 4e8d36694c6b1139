"""The ECS cluster, with its capacity providers."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ecs.tagged import NEW_ROLE, NO_CLUSTER, Ecs
from provisioner.kinds.ecs.tenants import ASKED, tenants
from provisioner.kinds.members.ecs import CLUSTER
from provisioner.kinds.tags import low_pairs, mapping

# botocore ecs DescribeClusters: the most clusters in one call.
_MOST = 100


class Cluster(Ecs):
    """An ECS cluster with its capacity providers."""

    key, named, noun = "clusterArn", "clusterName", "cluster"
    members = CLUSTER
    id_is_name = True
    ready, going = {"status": "ACTIVE"}, {"status": "DEPROVISIONING"}
    # A deleted cluster can still be described.
    gone = {"status": "INACTIVE"}
    # ECS API reference, Cluster
    states = (
        States(
            "status",
            words("ACTIVE"),
            words("PROVISIONING"),
            words("FAILED"),
            words("DEPROVISIONING INACTIVE"),
        ),
    )
    fixed = frozenset({"clusterName"})
    replaces = {"UpdateCluster": ""}
    defaults = {"configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}}
    absent = NO_CLUSTER
    transient = {
        "create": NEW_ROLE,
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
    resource, fills = "cluster", ("{clusterName}",)
    calls = calling(
        extras="ListServices",
        read="DescribeClusters",
        create="CreateCluster",
        update="PutClusterCapacityProviders UpdateCluster",
        delete="DeleteCluster",
        holders=ASKED,
    )

    def read(self, ecs: Any, spec: ResourceSpec) -> Doc | None:
        """Return the cluster with its tags (DescribeClusters), or None if AWS lists it among the failures."""
        include = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
        own = spec.props["clusterName"]
        names = ecs.peers.together(own, "Cluster", by="name", most=_MOST)
        listed = ecs.describe_clusters(clusters=names, include=include)["clusters"]
        mine = next((doc for doc in listed if doc["clusterName"] == own), None)
        return {**mine, "Tags": mapping(mine.get("tags", []))} if mine else None

    def create(self, ecs: Any, spec: ResourceSpec) -> Doc:
        """Create the cluster together with its capacity providers (CreateCluster)."""
        return dict(ecs.create_cluster(**spec.props, tags=low_pairs(spec.tags))["cluster"])

    def update(self, ecs: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Update the settings (UpdateCluster) and the capacity providers (PutClusterCapacityProviders).

        PutClusterCapacityProviders replaces the capacity providers and the default strategy, so both are
        sent.
        """
        told = {key: changed[key] for key in ("settings", "configuration") if key in changed}
        if told:
            ecs.update_cluster(cluster=spec.id, **told)
        if {"capacityProviders", "defaultCapacityProviderStrategy"} & changed.keys():
            ecs.put_cluster_capacity_providers(
                cluster=spec.id,
                capacityProviders=spec.props["capacityProviders"],
                defaultCapacityProviderStrategy=spec.props["defaultCapacityProviderStrategy"],
            )

    def extras(self, ecs: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the services of the cluster that nobody declared (ListServices)."""
        ours = inside.values("serviceName")
        arns = ecs.list_services(cluster=spec.id)["serviceArns"]
        others = (name for name in (arn.rsplit("/", 1)[-1] for arn in arns) if name not in ours)
        stays = "it runs beside ours; delete it before a teardown, which it would hold up"
        return [Extra(f"service {name}", {}, stays) for name in others]

    def delete(self, ecs: Any, spec: ResourceSpec) -> None:
        """Delete the cluster (DeleteCluster)."""
        ecs.delete_cluster(cluster=spec.id)

    def holders(self, ecs: Any, spec: ResourceSpec) -> list[Holder]:
        """Return what keeps the cluster from being deleted: its services, and tasks of others."""
        return tenants(ecs, spec.suffix)
