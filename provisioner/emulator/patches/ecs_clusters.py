"""ECS clusters and task definitions: idempotent creates, true counts, new revision numbers, and tags."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.ecs.model import Service, all_tasks, services
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend, list_moto
from provisioner.emulator.wire import AccountRegion, Call

_last_revisions: AccountStore[int] = AccountStore()  # by family
COMPARED = ("settings", "configuration", "capacityProviders", "defaultCapacityProviderStrategy")


def cluster_arn(call: Call, *, active: bool = False) -> str:
    """Return the ARN of the cluster that a call names.

    Raises:
        AwsError: ClusterNotFoundException (code: botocore ServiceModel), if there is no such cluster, or if
            `active` is set and the cluster is not ACTIVE.

    """
    name = str(call.params.get("cluster") or "default").rpartition("/")[2]
    cluster = backend("ecs", call.account, call.region).clusters.get(name)
    if cluster is None or (active and cluster.status != "ACTIVE"):
        message = "The referenced cluster was inactive." if cluster else "Cluster not found."
        raise AwsError("ClusterNotFoundException", message)
    return str(cluster.arn)


def services_in(place: AccountRegion, cluster: str) -> list[Service]:
    """Return the services of a cluster that are not INACTIVE."""
    every = services.of(place).values()
    return [s for s in every if s.cluster == cluster and s.status != "INACTIVE"]


@always.before("ecs", "CreateCluster")
def create(call: Call) -> Reply | None:
    """Return an existing cluster of the name if its settings are the same; refuse if not. Moto resets it."""
    name = call.params.get("clusterName", "default")
    cluster = backend("ecs", call.account, call.region).clusters.get(name)
    if cluster is None or cluster.status == "INACTIVE":
        return None
    (existing,) = ask_moto(call, "ecs", "DescribeClusters", clusters=[name])["clusters"]
    sent_keys = [key for key in COMPARED if key in call.params]
    if any(_canonical(call.params[key]) != _canonical(existing.get(key)) for key in sent_keys):
        message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
        raise AwsError("InvalidParameterException", message)
    return {"cluster": existing}


def _canonical(value: Any) -> Any:
    """Return a value in the form in which it is compared: lists sorted, a strategy with its defaults."""
    if isinstance(value, list):
        return sorted(str(_canonical(item)) for item in value)
    if isinstance(value, dict) and "capacityProvider" in value:
        return sorted(({"base": 0, "weight": 0} | value).items())
    return value


@always.before("ecs", "UpdateClusterSettings")
def update_settings(call: Call) -> Reply | None:
    """Carry UpdateClusterSettings out as UpdateCluster; moto lacks it."""
    return ask_moto(call, "ecs", "UpdateCluster", **call.params)


@always.after("ecs", "DescribeClusters", "CreateCluster", "DeleteCluster")
def set_counts(call: Call, reply: Reply) -> None:
    """Set the numbers of services and tasks of each cluster in the reply."""
    for cluster in reply.get("clusters", [reply.get("cluster")]):
        arn = cluster["clusterArn"]
        tasks = [task for task in all_tasks(call.place) if task.cluster == arn]
        cluster["activeServicesCount"] = len(services_in(call.place, arn))
        cluster["runningTasksCount"] = sum(task.status == "RUNNING" for task in tasks)
        cluster["pendingTasksCount"] = sum(task.status in ("PROVISIONING", "PENDING") for task in tasks)


@always.after("ecs", "RegisterTaskDefinition")
def set_revision(call: Call, reply: Reply) -> None:
    """Give a task definition a revision number that its family never had, even if revisions were deleted.

    ECS API, DeleteTaskDefinitions: a deleted revision keeps its number. Moto counts the revisions that are
    left.
    """
    description, last_revisions = reply["taskDefinition"], _last_revisions.of(call)
    family, motos_revision = str(description["family"]), int(description["revision"])
    next_ = max(motos_revision, last_revisions.get(family, 0) + 1)
    last_revisions[family] = next_
    if next_ != motos_revision:
        revisions = backend("ecs", call.account, call.region).task_definitions[family]
        definition = revisions.pop(motos_revision)
        definition.revision, definition.arn = next_, f"{definition.arn.rpartition(':')[0]}:{next_}"
        revisions[next_] = definition
        description["revision"], description["taskDefinitionArn"] = next_, definition.arn


@always.after("ecs", "RegisterTaskDefinition")
def add_tags(call: Call, reply: Reply) -> None:
    """Add the tags to the reply."""
    reply["tags"] = call.params.get("tags", [])


@always.after("ecs", "RegisterTaskDefinition", "DescribeTaskDefinition")
def fill_defaults(_: Call, reply: Reply) -> None:
    """Add the members that AWS fills in by itself.

    Source: botocore ServiceModel: PortMapping, hostPort; Volume, host.
    """
    description = reply["taskDefinition"]
    for container in description["containerDefinitions"]:
        for port in container.get("portMappings", []):
            port.setdefault("hostPort", port.get("containerPort", 0))
    for volume in description.get("volumes", []):
        volume.setdefault("host", {})


@always.before("ecs", "ListTaskDefinitions")
def list_definitions(call: Call) -> Reply | None:
    """List task definitions in the requested order, by revision number rather than as text, and in pages."""
    own_params = ("sort", "maxResults", "nextToken")
    moto_params = {key: value for key, value in call.params.items() if key not in own_params}
    arns: list[str] = list_moto(call, "ecs", "ListTaskDefinitions", **moto_params)["taskDefinitionArns"]
    arns.sort(key=_revision, reverse=call.params.get("sort") == "DESC")
    start, size = int(call.params.get("nextToken", 0)), call.params.get("maxResults", 100)
    reply: Reply = {"taskDefinitionArns": arns[start : start + size]}
    if start + size < len(arns):
        reply["nextToken"] = str(start + size)
    return reply


@always.after("ecs", "ListTaskDefinitionFamilies")
def filter_families(call: Call, reply: Reply) -> None:
    """List the families of the requested status: a family is ACTIVE while one of its revisions is.

    Source: botocore ServiceModel, status.
    """
    definitions = backend("ecs", call.account, call.region).task_definitions
    status = call.params.get("status", "ACTIVE")

    def is_meant(family: str) -> bool:
        """Return whether a family has the requested status."""
        active = any(one.status == "ACTIVE" for one in definitions[family].values())
        return bool(status == "ALL" or active == (status == "ACTIVE"))

    reply["families"] = [family for family in reply["families"] if is_meant(family)]


def _revision(arn: str) -> tuple[str, int]:
    """Split a task definition's ARN into the part before the revision and the number of the revision."""
    family, _, revision = arn.rpartition(":")
    return family, int(revision)
