"""ECS clusters and task definitions: not reset by a second create, counts that are true, tags told."""

from __future__ import annotations

from typing import Any

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.containers.model import Service, all_tasks, services
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend, do, every
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call, Place

_last_revisions: Shelf[int] = Shelf()
COMPARED = ("settings", "configuration", "capacityProviders", "defaultCapacityProviderStrategy")


def cluster_arn(call: Call, *, active: bool = False) -> str:
    """Return the ARN of the cluster a call names, which must exist; codes: botocore ServiceModel."""
    name = str(call.params.get("cluster") or "default").rpartition("/")[2]
    cluster = backend("ecs", call.account, call.region).clusters.get(name)
    if cluster is None or (active and cluster.status != "ACTIVE"):
        message = "The referenced cluster was inactive." if cluster else "Cluster not found."
        raise AwsError("ClusterNotFoundException", message)
    return str(cluster.arn)


def services_in(place: Place, cluster: str) -> list[Service]:
    """Return the services of a cluster that have not ended."""
    every = services.of(place).values()
    return [s for s in every if s.cluster == cluster and s.status != "INACTIVE"]


@always.before("ecs", "CreateCluster")
def create(call: Call) -> Reply | None:
    """Return the cluster there is if it is the same; moto resets it."""
    name = call.params.get("clusterName", "default")
    cluster = backend("ecs", call.account, call.region).clusters.get(name)
    if cluster is None or cluster.status == "INACTIVE":
        return None
    (there,) = do(call, "ecs", "DescribeClusters", clusters=[name])["clusters"]
    told = [key for key in COMPARED if key in call.params]
    if any(_canonical(call.params[key]) != _canonical(there.get(key)) for key in told):
        message = (
            "Arguments on this idempotent request are inconsistent with arguments used in previous"
            " request(s)."
        )
        raise AwsError("InvalidParameterException", message)
    return {"cluster": there}


def _canonical(value: Any) -> Any:
    """Compare lists whatever their order, and with the defaults of a strategy filled in."""
    if isinstance(value, list):
        return sorted(str(_canonical(item)) for item in value)
    if isinstance(value, dict) and "capacityProvider" in value:
        return sorted(({"base": 0, "weight": 0} | value).items())
    return value


@always.before("ecs", "UpdateClusterSettings")
def update_settings(call: Call) -> Reply | None:
    """Do by UpdateCluster what moto lacks."""
    return do(call, "ecs", "UpdateCluster", **call.params)


@always.after("ecs", "DescribeClusters", "CreateCluster", "DeleteCluster")
def counts(call: Call, reply: Reply) -> None:
    """Count services and tasks."""
    for cluster in reply.get("clusters", [reply.get("cluster")]):
        arn = cluster["clusterArn"]
        tasks = [task for task in all_tasks(call.place) if task.cluster == arn]
        cluster["activeServicesCount"] = len(services_in(call.place, arn))
        cluster["runningTasksCount"] = sum(task.status == "RUNNING" for task in tasks)
        cluster["pendingTasksCount"] = sum(task.status in ("PROVISIONING", "PENDING") for task in tasks)


@always.after("ecs", "RegisterTaskDefinition")
def numbered(call: Call, reply: Reply) -> None:
    """Go on counting where the newest revisions of a family were deleted: no number is given out twice.

    ECS API, DeleteTaskDefinitions: what is deleted keeps its revision; moto counts what is left.
    """
    told, last = reply["taskDefinition"], _last_revisions.of(call)
    family, given = str(told["family"]), int(told["revision"])
    next_ = max(given, last.get(family, 0) + 1)
    last[family] = next_
    if next_ != given:
        revisions = backend("ecs", call.account, call.region).task_definitions[family]
        made = revisions.pop(given)
        made.revision, made.arn = next_, f"{made.arn.rpartition(':')[0]}:{next_}"
        revisions[next_] = made
        told["revision"], told["taskDefinitionArn"] = next_, made.arn


@always.after("ecs", "RegisterTaskDefinition")
def registered(call: Call, reply: Reply) -> None:
    """Tell the tags, as AWS does."""
    reply["tags"] = call.params.get("tags", [])


@always.after("ecs", "RegisterTaskDefinition", "DescribeTaskDefinition")
def filled_in(_: Call, reply: Reply) -> None:
    """Tell what AWS adds by itself (botocore ServiceModel: PortMapping, hostPort; Volume, host)."""
    told = reply["taskDefinition"]
    for container in told["containerDefinitions"]:
        for port in container.get("portMappings", []):
            port.setdefault("hostPort", port.get("containerPort", 0))
    for volume in told.get("volumes", []):
        volume.setdefault("host", {})


@always.before("ecs", "ListTaskDefinitions")
def newest_first(call: Call) -> Reply | None:
    """List in the order that was asked for, by revision and not by its text."""
    ours = ("sort", "maxResults", "nextToken")
    told = {key: value for key, value in call.params.items() if key not in ours}
    found: list[str] = every(call, "ecs", "ListTaskDefinitions", **told)["taskDefinitionArns"]
    found.sort(key=_revision, reverse=call.params.get("sort") == "DESC")
    start, size = int(call.params.get("nextToken", 0)), call.params.get("maxResults", 100)
    reply: Reply = {"taskDefinitionArns": found[start : start + size]}
    if start + size < len(found):
        reply["nextToken"] = str(start + size)
    return reply


@always.after("ecs", "ListTaskDefinitionFamilies")
def families_in_use(call: Call, reply: Reply) -> None:
    """List by status: a family is ACTIVE while one of its revisions is (botocore ServiceModel, status)."""
    known = backend("ecs", call.account, call.region).task_definitions
    status = call.params.get("status", "ACTIVE")

    def is_meant(family: str) -> bool:
        active = any(one.status == "ACTIVE" for one in known[family].values())
        return bool(status == "ALL" or active == (status == "ACTIVE"))

    reply["families"] = [family for family in reply["families"] if is_meant(family)]


def _revision(arn: str) -> tuple[str, int]:
    family, _, revision = arn.rpartition(":")
    return family, int(revision)
