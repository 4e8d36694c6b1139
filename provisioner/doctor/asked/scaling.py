"""What makes the number of tasks follow the requests: targets, policies, and the alarms that call them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.doctor.asked.tasks import services
from provisioner.doctor.finding import Doc, Unset
from provisioner.doctor.patient import Patient
from provisioner.engine.faults import Fault, fault_of
from provisioner.engine.states import Standing, standing
from provisioner.engine.target import HIDES
from provisioner.kinds import KINDS
from provisioner.kinds.autoscaling import with_suspended
from provisioner.kinds.ecs.shipped import shipped
from provisioner.kinds.tracking_alarms import alarms_of, tracking
from provisioner.settings.never import SERVICE, setting_of

# What is asked here, by service: `policy` grants it.
CALLS = {
    "application-autoscaling": (
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
    )
}
# botocore application-autoscaling DescribeScalableTargets: so many in one call.
_MOST = 50
# Who has set a service's least number: what mends it depends on that.
BY_SCALE, BY_SETTINGS, BY_HAND = "scale", "settings", "hand"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
# What is counted per task that runs: of no task there is none.
_PER_TASK = "ALBRequestCountPerTarget"


@dataclass(frozen=True)
class Scaled:
    """A service that is scaled: what is suspended, how its policies are, and whether anything wakes it."""

    service: str
    suspended: Standing
    policies: tuple[tuple[str, Standing], ...]
    # Its least number is 0, and nothing adds a task where none runs.
    sleeps: bool
    # The scheduled actions that end its last task, where nothing adds one again.
    ending: tuple[Doc, ...]
    # The setting of its least number, and what `--service` calls it.
    setting: str
    title: str
    held: str = BY_SETTINGS


@dataclass(frozen=True)
class Least:
    """How many tasks a service runs at least, and who has set that."""

    count: int
    held: str = BY_SETTINGS


def least(p: Patient) -> Least:
    """DescribeScalableTargets: the main service's; by the state where AWS tells none."""
    service = p.named("service")
    try:
        target = next(_targets(p, [f"service/{p.named('cluster')}/{service}"]), None)
    except ClientError as error:
        if fault_of(error) is not Fault.DENIED:
            raise
        target = None
    if target is None:
        known = p.document.entries.get(SERVICE) if p.document else None
        return Least(int((known.wanted if known else {}).get("desiredCount", 1)))
    count = int(target["MinCapacity"])
    return Least(count, BY_SETTINGS if count else _holder(p, target, service))


def scaled(p: Patient) -> list[Scaled]:
    """Describe the targets, their policies, their scheduled actions and alarms; Unset where none is."""
    names = {f"service/{p.named('cluster')}/{one['serviceName']}": one["serviceName"] for one in services(p)}
    targets = list(_targets(p, sorted(names)))
    if not targets:
        raise Unset("no service is scaled")
    listed = {one["ResourceId"]: _policies(p, one["ResourceId"]) for one in targets}
    there = alarms_of(
        p.clients.client("cloudwatch"), (policy for found in listed.values() for policy in found)
    )
    return [_scaled(p, one, names[id_], listed[id_], there) for one in targets if (id_ := one["ResourceId"])]


def _targets(p: Patient, ids: list[str]) -> Iterator[Doc]:
    scaling = p.clients.client("application-autoscaling")
    for at in range(0, len(ids), _MOST):
        some = ids[at : at + _MOST]
        told = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=some)
        yield from told["ScalableTargets"]


def _policies(p: Patient, resource: str) -> list[Doc]:
    scaling = p.clients.client("application-autoscaling")
    told = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)
    return list(told["ScalingPolicies"])


def _scaled(p: Patient, target: Doc, service: str, policies: list[Doc], there: dict[str, Doc]) -> Scaled:
    title = _title(p, service)
    actions = _actions(p, target["ResourceId"])
    is_woken = any(_limits(one).get("MinCapacity") for one in actions)
    from_0 = not is_woken and all(_metric(one) == _PER_TASK for one in policies)
    is_known = bool(title) or service == p.named(SERVICE)
    sleeps = not target["MinCapacity"] and from_0
    return Scaled(
        service,
        standing(KINDS["ScalableTarget"], with_suspended(target)),
        tuple(
            (one["PolicyName"], standing(KINDS["ScalingPolicy"], {**one, "Tracking": tracking(one, there)}))
            for one in policies
            if _TRACKING in one and not _may_be_hidden(p, one)
        ),
        sleeps,
        () if is_woken else tuple(one for one in actions if _is_to_come(p, one) and _ends(one, from_0)),
        setting_of(title) if is_known else "its minimum",
        title,
        _holder(p, target, service) if sleeps else BY_SETTINGS,
    )


def _holder(p: Patient, target: Doc, service: str) -> str:
    """Who has set the least number of 0: `scale` by the service's tag, else the settings applied last."""
    if shipped(p.clients, p.named("cluster"), service).counts is not None:
        return BY_SCALE
    entries = p.document.entries.values() if p.document else ()
    applied = (
        one.wanted.get("MinCapacity")
        for one in entries
        if one.wanted.get("ResourceId") == target["ResourceId"]
    )
    return BY_HAND if next(applied, 0) else BY_SETTINGS


def _actions(p: Patient, resource: str) -> list[Doc]:
    scaling = p.clients.client("application-autoscaling")
    told = scaling.describe_scheduled_actions(ServiceNamespace="ecs", ResourceId=resource)
    return list(told["ScheduledActions"])


def _ends(action: Doc, from_0: bool) -> bool:
    """Whether it leaves no task: none is allowed, or none needed where `from_0` nothing adds one."""
    limits = _limits(action)
    return limits.get("MaxCapacity") == 0 or (from_0 and limits.get("MinCapacity") == 0)


def _is_to_come(p: Patient, action: Doc) -> bool:
    """Whether its time is not over; one without an end recurs, or is due once."""
    end = action.get("EndTime")
    return end is None or end.timestamp() > p.now


def _limits(action: Doc) -> Doc:
    return action.get("ScalableTargetAction") or {}


def _metric(policy: Doc) -> str:
    """What a policy counts, where AWS names it."""
    told = (policy.get(_TRACKING) or {}).get("PredefinedMetricSpecification", {})
    return str(told.get("PredefinedMetricType", ""))


def _may_be_hidden(p: Patient, policy: Doc) -> bool:
    """Whether its alarms cannot be told: they are seconds old, or of an emulator that may make none."""
    aws = p.clients.aws
    return not aws.echoes or p.now - policy["CreationTime"].timestamp() < aws.hides(HIDES)


def _title(p: Patient, service: str) -> str:
    """What `--service` calls it: "" for the main one, and for one that no state file tells of."""
    entries = p.document.entries if p.document else {}
    nodes = (node for node, one in entries.items() if one.kind == "Service" and one.name == service)
    return next(nodes, SERVICE).removeprefix(SERVICE).removeprefix(".")
