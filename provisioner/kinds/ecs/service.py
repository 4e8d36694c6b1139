"""The ECS service, with the state of its rollout."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from provisioner.engine.beats import Beat
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Refusal
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.errors import RolledBack, Superseded
from provisioner.kinds.ecs.diagnosis import FAILED, diagnose, is_stopped_by_hand, verdict
from provisioner.kinds.ecs.strategies import (
    ADVANCED,
    awaited,
    deployment_under_way,
    lasts,
    rolling_command,
    rules_in_use,
    strategy_of,
)
from provisioner.kinds.ecs.successors import NOT_JUDGED, wanted_instead
from provisioner.kinds.ecs.tagged import NEW_ROLE, NO_CLUSTER, Ecs
from provisioner.kinds.members.ecs import SERVICE
from provisioner.kinds.tags import low_pairs, mapping
from state.errors import ProvisionerError

# botocore ecs DescribeServices: the most services in one call.
_MOST = 10
# botocore ecs Deployment: set on the service, but returned only with its deployments.
_OF_DEPLOYMENTS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
# How far this machine's clock may be from the clock of AWS, in seconds.
_SKEW = 60.0


def _stays_with_ecs(seen: Any, _wanted: Any) -> str:
    """Return why target group and port cannot change where ECS shifts the traffic; "" if they can."""
    if not any(one.get(ADVANCED) for one in seen or ()):
        return ""
    return (
        "ECS itself leads its requests between two target groups (its deployment strategy was set by hand), "
        "and these know of no other group or port; have it replace tasks in their group first: "
        f"`{rolling_command(seen, '{cluster}', '{serviceName}')}`"
    )


class Service(Ecs):
    """An ECS service: it keeps a number of tasks running behind a load balancer."""

    key, named, noun = "serviceArn", "serviceName", "service"
    members = SERVICE
    id_is_name = True
    ready = {"Rollout": "COMPLETED"}
    failed, on_failure = {"Rollout": frozenset({"FAILED", "ROLLED_BACK"})}, "update"
    going, gone = {"status": "DRAINING"}, {"status": "INACTIVE"}
    # ECS API reference, Service; `Rollout` and `Tasks` are derived from its deployments and counts.
    states = (
        States("Rollout", words("COMPLETED"), words("IN_PROGRESS"), words("FAILED ROLLED_BACK")),
        States("status", words("ACTIVE"), gone=words("DRAINING INACTIVE")),
        States(
            "Tasks",
            words("all"),
            words("some"),
            words("none"),
            untold="healthy",
            says={"all": "as many tasks as it should", "some": "too few tasks", "none": "no task runs"},
        ),
    )
    fixed = frozenset({"serviceName", "cluster", "schedulingStrategy"})
    # UpdateService replaces each nested structure as a whole.
    replaces = {"UpdateService": ""}
    claims = ("cluster", "serviceName")
    owners = {
        "desiredCount": Owner("autoscaling"),
        # Sent back, it would be ROLLING again, with the next tasks in a target group that gets no requests.
        "deploymentConfiguration": Owner("whoever chose the deployment strategy {Strategy}", told="Strategy"),
    }
    one_way = {"loadBalancers": _stays_with_ecs}
    within = ("cluster",)
    absent = NO_CLUSTER | codes("ServiceNotFoundException", "ServiceNotActiveException")
    duplicate = codes("InvalidParameterException: not idempotent")
    transient = {
        "create": NEW_ROLE
        | codes(
            "InvalidParameterException: does not have an associated load balancer",
            "InvalidParameterException: still draining",
        ),
        "update": NEW_ROLE | codes("InvalidParameterException: does not have an associated load balancer"),
        "delete": codes("InvalidParameterException: deployments are active", "DependencyViolation"),
    }
    # A rollout takes 1 to 4 min; draining lasts as long as the target group's deregistration delay.
    takes, takes_to_go, patience, stale_for = 60, 45, minutes(40), 2
    resource, fills = "service", ("{cluster}", "{serviceName}")
    calls = calling(
        read="DescribeServiceDeployments DescribeServices",
        create="CreateService",
        update="UpdateService",
        delete="DeleteService",
        failure="DescribeServiceDeployments DescribeTaskDefinition DescribeTasks ListServiceDeployments ListTasks",
        deceives="ListServiceDeployments",
    )

    def read(self, ecs: Any, spec: ResourceSpec) -> Doc | None:
        """Return the service (DescribeServices) with the derived members `Rollout`, `Strategy`, `Waits`."""
        listed = described(ecs, spec.id or spec.props["serviceName"], spec.props["cluster"])
        doc = next((doc for doc in listed if doc["serviceName"] == spec.props["serviceName"]), None)
        if doc is None:
            return None
        strategy = strategy_of(doc)
        return {
            **doc,
            **_of_newest(doc),
            **({"Strategy": strategy} if strategy else {}),
            **awaited(ecs, doc),
            "cluster": doc["clusterArn"],
            "Rollout": rollout(doc, spec.props.get("taskDefinition")),
            "Tags": mapping(doc.get("tags", [])),
        }

    def canonical(self, doc: Doc) -> Doc:
        """Remove `advancedConfiguration` where ECS shifts no traffic: only ECS's own strategies read it."""
        if "loadBalancers" not in doc or strategy_of(doc):
            return doc
        plain = [{key: one[key] for key in one if key != ADVANCED} for one in doc["loadBalancers"]]
        return {**doc, "loadBalancers": plain}

    def observe(self, ecs: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Add `Tasks`: whether all, some or none of the desired tasks run."""
        running, wanted = doc.get("runningCount", 0), doc.get("desiredCount", 0)
        return {**doc, "Tasks": "all" if running >= wanted else "some" if running else "none"}

    def create(self, ecs: Any, spec: ResourceSpec) -> Doc:
        """Create the service with a client token of ours (CreateService)."""
        made = ecs.create_service(**spec.props, clientToken=spec.token, tags=low_pairs(spec.tags))
        return dict(made["service"])

    def update(self, ecs: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Update the service and start a deployment (UpdateService).

        Only a new task definition starts one unforced. A new capacity provider strategy must be forced
        (kayac/ecspresso#977).
        """
        ecs.update_service(
            cluster=spec.props["cluster"],
            service=spec.id,
            forceNewDeployment="taskDefinition" not in changed or "capacityProviderStrategy" in changed,
            **changed,
        )

    def delete(self, ecs: Any, spec: ResourceSpec) -> None:
        """Delete the service with its tasks (DeleteService). Safe to repeat while it drains."""
        ecs.delete_service(cluster=spec.props["cluster"], service=spec.id, force=True)

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Add the old target groups until the phase LEAVE; in the phase JOIN only those that get requests."""
        (mine,) = wanted["loadBalancers"]
        groups = {one.get("targetGroupArn") for one in seen.get("loadBalancers", [])}
        others = groups - {mine["targetGroupArn"]}
        old = sorted(others & led if beat is Beat.JOIN else others)
        if not old or beat >= Beat.LEAVE:
            return wanted
        both = [mine, *({**mine, "targetGroupArn": arn} for arn in old)]
        return {**wanted, "loadBalancers": both}

    def failure(self, ecs: Any, spec: ResourceSpec, doc: Doc) -> ProvisionerError:
        """Return why the deployment failed: the stop reason, the exit code and the last log lines."""
        found = diagnose(ecs, spec.props["cluster"], spec.props["serviceName"])
        mine = str(spec.props.get("taskDefinition", ""))
        # Somebody else deployed if the newest deployment is of another revision and has not failed.
        if found.status and found.status not in FAILED and (by := wanted_instead(doc, mine)):
            return Superseded(
                f"The deployment of {spec.aws_name} was superseded: "
                f"{by.revision.rpartition('/')[2]} is to run now. ECS has not judged the image.",
                "Somebody else deploys, too: CloudTrail tells who called UpdateService. "
                "Run the same command again: it shows what it would change.",
            )
        if found.status in FAILED and is_stopped_by_hand(ecs, spec.props["cluster"], spec.props["serviceName"]):
            told = f"The deployment of {spec.aws_name} was stopped: {found.words}"
            return RolledBack(told, NOT_JUDGED, found.evidence)
        return RolledBack(
            f"The deployment of {spec.aws_name} failed: {found.words}",
            f"{found.remedy} Then run the same command again: it starts a new deployment.",
            found.evidence,
        )

    def relies_on(self, doc: Doc) -> Mapping[str, Refusal]:
        """Return the rules that ECS's strategy needs, and their listeners, with why they must stay."""
        return dict(rules_in_use(doc))

    def asks(self, doc: Doc) -> str:
        """Return how to let a deployment go on that waits at a lifecycle hook, or why that is not known."""
        return str(doc.get("Waits") or doc.get("Unheard", ""))

    def under_way(self, doc: Doc, wanted: Doc) -> str:
        """Return which revision is being deployed, who asked for it, and at which hook that waits."""
        return deployment_under_way(doc, str(wanted.get("taskDefinition", "")))

    def takes_more(self, doc: Doc) -> float:
        """Return how long ECS's traffic-shifting strategy takes: its steps and its bake time, in seconds."""
        return lasts(doc)

    def deceives(self, ecs: Any, spec: ResourceSpec, since: float) -> bool:
        """Return whether the newest deployment after `since` failed: the former revision may run then."""
        return verdict(ecs, spec.props["cluster"], spec.props["serviceName"], since - _SKEW)[0] in FAILED


def _of_newest(doc: Doc) -> Doc:
    """Return the settings that AWS returns only with the newest deployment, under the keys of the service."""
    primary = (one for one in doc.get("deployments", []) if one["status"] == "PRIMARY")
    newest: Doc = next(primary, {})
    return {key: newest[key] for key in _OF_DEPLOYMENTS if key in newest}


def described(ecs: Any, own: str, cluster: str) -> list[Doc]:
    """Return a service and others of its cluster that this run reads in the same call (DescribeServices)."""
    name = cluster.rpartition("/")[2]
    services = ecs.peers.together(own, "Service", most=_MOST, among=f":service/{name}/")
    listed = list(ecs.describe_services(cluster=name, services=services, include=["TAGS"])["services"])
    return listed if ecs.echoes else [_followed(one) for one in listed]


def _followed(service: Doc) -> Doc:
    """Set the task definition of a service's only deployment: moto keeps the first one for ever."""
    deployments = service.get("deployments", [])
    if len(deployments) != 1:
        return service
    return {**service, "deployments": [{**deployments[0], "taskDefinition": service["taskDefinition"]}]}


def rollout(doc: Doc, wanted: Any) -> str:
    """Return a rollout's state: COMPLETED only if all desired tasks run and have the revision `wanted`."""
    none: Doc = {}
    listed = doc.get("deployments", [])
    primary = next((one for one in listed if one["status"] == "PRIMARY"), none)
    asked = str(wanted) if str(wanted).startswith("arn:") else primary.get("taskDefinition")
    is_asked = primary.get("taskDefinition") == asked
    # After a failed deployment was started again, the failed one is listed beside it for a while.
    mine = [primary] if is_asked else [one for one in listed if one.get("taskDefinition") == asked]
    if "FAILED" in [one.get("rolloutState") for one in mine]:
        return "FAILED"
    if primary.get("rolloutState") != "COMPLETED" or doc["runningCount"] < doc["desiredCount"]:
        return "IN_PROGRESS"
    return "COMPLETED" if is_asked else "ROLLED_BACK"
