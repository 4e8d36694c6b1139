"""ECS services: created once, returned as requested, kept by running tasks, and deleted in steps."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.ecs import scheduler, strategies
from provisioner.emulator.ecs.model import Service, services
from provisioner.emulator.ecs.tasks import service_tags
from provisioner.emulator.ecs.views import service_view
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches import scaling
from provisioner.emulator.patches.ecs_clusters import cluster_arn, services_in
from provisioner.emulator.wire import Call

# AWS doc, API_CreateService: the defaults of a service, LATEST, REPLICA and ECS among them.
DEFAULTS: dict[str, Any] = {
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "platformVersion": "LATEST",
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "propagateTags": "NONE",
    "availabilityZoneRebalancing": "ENABLED",
    "healthCheckGracePeriodSeconds": 0,
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
}
DEPLOYMENT = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}
NOT_KEPT = (
    "cluster", "service", "serviceName", "desiredCount", "clientToken", "tags", "role", "forceNewDeployment",
)  # fmt: skip


def find(call: Call, name: str) -> Service | None:
    """Return the service of this name or ARN in the call's cluster, the newest if there were several."""
    cluster = cluster_arn(call)
    name = name.rpartition("/")[2]
    same = [s for s in services.of(call).values() if s.cluster == cluster and s.name == name]
    return same[-1] if same else None


def active(call: Call) -> Service:
    """Return the call's ACTIVE service, or raise (codes: botocore ServiceModel, errors of UpdateService)."""
    service = find(call, call.params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


@always.before("ecs", "CreateService")
def create(call: Call) -> Reply | None:
    """Create a service and begin to deploy it; refuse a taken name unless the client token repeats."""
    params = call.params
    cluster = cluster_arn(call, active=True)
    name = params["serviceName"]
    old = find(call, name)
    if old is not None and old.status == "ACTIVE":
        if not params.get("clientToken") or old.token != params["clientToken"]:
            # hashicorp/terraform-provider-aws#2283, #14489
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        return {"service": service_view(old)}
    spec = _spec(call)
    _check_strategy(spec)
    _mirror_into_moto(call)
    service = Service(call.place, cluster, name, spec, params.get("clientToken", ""), _count(params))
    services.of(call)[service.arn] = service
    scheduler.deploy(service)
    return {"service": service_view(service) | {"tags": params.get("tags", [])}}


def _count(params: dict[str, Any]) -> int:
    return int(params.get("desiredCount", 1))


def _spec(call: Call) -> dict[str, Any]:
    """Return what a service is to be: parameters, AWS's defaults, and the ARN of its task definition."""
    spec = DEFAULTS | {key: value for key, value in call.params.items() if key not in NOT_KEPT}
    spec["deploymentConfiguration"] = DEPLOYMENT | spec.get("deploymentConfiguration", {})
    found = ask_moto(call, "ecs", "DescribeTaskDefinition", taskDefinition=spec["taskDefinition"])["taskDefinition"]
    spec["taskDefinition"] = found["taskDefinitionArn"]
    if "launchType" not in spec and "capacityProviderStrategy" not in spec:
        spec |= _default_strategy(call)
    if spec["loadBalancers"]:
        path = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        spec["roleArn"] = f"arn:aws:iam::{call.account}:role/{path}"
    return spec


def _default_strategy(call: Call) -> dict[str, Any]:
    """Return the cluster's default strategy, or launch type EC2 (botocore ServiceModel, launchType)."""
    (cluster,) = ask_moto(call, "ecs", "DescribeClusters", clusters=[cluster_arn(call)])["clusters"]
    strategy = cluster.get("defaultCapacityProviderStrategy")
    return {"capacityProviderStrategy": strategy} if strategy else {"launchType": "EC2"}


def _mirror_into_moto(call: Call) -> None:
    """Create the service in moto too, since moto's tags, tagging API and auto scaling look there."""
    kept = ("cluster", "serviceName", "taskDefinition", "desiredCount", "tags", "propagateTags")
    told = {key: call.params[key] for key in kept if key in call.params}
    ask_moto(call, "ecs", "CreateService", **{"desiredCount": 1} | told)


@always.before("ecs", "UpdateService")
def update(call: Call) -> Reply | None:
    """Update a service; a change of its tasks begins a deployment (botocore ServiceModel, UpdateService)."""
    service, params = active(call), call.params
    where = ("capacityProviderStrategy", "launchType")  # changing only these replaces no task
    before = {key: service.spec.get(key) for key in scheduler.ROLLED if key not in where}
    changed = {key: value for key, value in params.items() if key not in NOT_KEPT}
    if "taskDefinition" in changed:
        found = ask_moto(call, "ecs", "DescribeTaskDefinition", taskDefinition=changed["taskDefinition"])
        changed["taskDefinition"] = found["taskDefinition"]["taskDefinitionArn"]
    if "deploymentConfiguration" in changed:
        had = service.spec["deploymentConfiguration"]
        changed["deploymentConfiguration"] = _configured(had, changed["deploymentConfiguration"])
    _check_strategy(service.spec | changed)
    _check_forced(service.spec, params)
    service.spec.update(changed)
    if changed.get("capacityProviderStrategy") == []:  # back to the launch type: botocore ServiceModel
        service.spec.pop("capacityProviderStrategy")
        service.spec.setdefault("launchType", "FARGATE")
    elif "capacityProviderStrategy" in changed:
        service.spec.pop("launchType", None)
    service.desired = params.get("desiredCount", service.desired)
    rolls = params.get("forceNewDeployment") or any(service.spec.get(k) != v for k, v in before.items())
    if rolls:
        scheduler.deploy(service)
    else:
        scheduler.settle(service)
    return {"service": service_view(service)}


def _configured(had: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Merge `given` into `had`; a strategy and its settings that are not given return to their defaults."""
    own = ("strategy", "bakeTimeInMinutes", "lifecycleHooks", "linearConfiguration", "canaryConfiguration")
    rest = {key: value for key, value in had.items() if key not in own}
    if given.get("strategy", "ROLLING") in strategies.NATIVE:
        # The circuit breaker is for rolling updates alone (botocore, DeploymentConfiguration).
        rest["deploymentCircuitBreaker"] = DEPLOYMENT["deploymentCircuitBreaker"]
    return {key: DEPLOYMENT[key] for key in own if key in DEPLOYMENT} | rest | given


def _check_forced(spec: dict[str, Any], params: dict[str, Any]) -> None:
    """Refuse a new capacity provider strategy without a forced deployment (kayac/ecspresso#977)."""
    told = params.get("capacityProviderStrategy")
    if told is None or params.get("forceNewDeployment"):
        return
    if _spread(told) != _spread(spec.get("capacityProviderStrategy", [])):
        raise AwsError(
            "InvalidParameterException",
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment.",
        )


def _spread(strategy: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {one["capacityProvider"]: (one.get("base", 0), one.get("weight", 0)) for one in strategy}


def _check_strategy(spec: dict[str, Any]) -> None:
    """Require what an ECS-native strategy needs of load balancers (botocore, AdvancedConfiguration)."""
    told = spec["deploymentConfiguration"]
    if told.get("strategy") not in strategies.NATIVE:
        return
    for one in spec["loadBalancers"]:
        wanted = {"alternateTargetGroupArn", "productionListenerRule", "roleArn"}
        if not wanted <= one.get("advancedConfiguration", {}).keys():
            message = f"advancedConfiguration is required for the deployment strategy {told['strategy']}."
            raise AwsError("InvalidParameterException", message)


@always.before("ecs", "DeleteService")
def delete(call: Call) -> Reply | None:
    """Begin to delete a service; refuse one that is scaled above 0, unless forced."""
    service = find(call, call.params["service"])
    if service is None or service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.desired > 0 and not call.params.get("force"):
        message = "The service cannot be stopped while it is scaled above 0."
        raise AwsError("InvalidParameterException", message)
    if service.status == "ACTIVE":
        scheduler.delete(service)
    return {"service": service_view(service)}


def _ended(service: Service) -> None:
    """Remove an ended service and its scaling from moto (hashicorp/terraform-provider-aws#14254, #10432)."""
    cluster = service.cluster.rpartition("/")[2]
    kept = backend("ecs", service.place.account, service.place.region).services
    kept.pop(f"{cluster}:{service.name}", None)
    scaling.forget(service.place, f"service/{cluster}/{service.name}")


scheduler.when_inactive.append(_ended)


@always.before("ecs", "DescribeServices")
def describe(call: Call) -> Reply | None:
    """Describe services; an unknown one is a failure MISSING, not an error."""
    told: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    cluster = cluster_arn(call)
    for name in call.params["services"]:
        service = find(call, name)
        if service is None:
            arn = f"{cluster.replace(':cluster/', ':service/')}/{name.rpartition('/')[2]}"
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        view = service_view(service)
        if "TAGS" in call.params.get("include", []):
            view["tags"] = service_tags(service)
        told.append(view)
    return {"services": told, "failures": failures}


@always.before("ecs", "ListServices")
def list_services(call: Call) -> Reply | None:
    """List the services that are not INACTIVE."""
    found = services_in(call.place, cluster_arn(call))
    if wanted := call.params.get("launchType"):
        found = [service for service in found if service.spec.get("launchType") == wanted]
    return {"serviceArns": sorted(service.arn for service in found)}


@always.after("application-autoscaling", "RegisterScalableTarget")
def clamp(call: Call, _: Reply) -> None:
    """Bring the desired count into the new bounds (botocore ServiceModel, RegisterScalableTarget)."""
    params = call.params
    if params["ServiceNamespace"] != "ecs":
        return
    _, cluster, name = params["ResourceId"].split("/")
    for service in services.of(call).values():
        if service.name == name and service.cluster.endswith(f"/{cluster}") and service.status == "ACTIVE":
            low, high = params.get("MinCapacity", 0), params.get("MaxCapacity", service.desired)
            service.desired = max(low, min(high, service.desired))
            scheduler.settle(service)
