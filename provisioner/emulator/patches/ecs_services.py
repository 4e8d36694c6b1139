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


def find_service(call: Call, name: str) -> Service | None:
    """Return the service of this name or ARN in the call's cluster, the newest if there were several."""
    cluster = cluster_arn(call)
    name = name.rpartition("/")[2]
    same = [s for s in services.of(call).values() if s.cluster == cluster and s.name == name]
    return same[-1] if same else None


def active_service(call: Call) -> Service:
    """Return the call's ACTIVE service, or raise (codes: botocore ServiceModel, errors of UpdateService)."""
    service = find_service(call, call.params["service"])
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
    old = find_service(call, name)
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
    definition = ask_moto(call, "ecs", "DescribeTaskDefinition", taskDefinition=spec["taskDefinition"])[
        "taskDefinition"
    ]
    spec["taskDefinition"] = definition["taskDefinitionArn"]
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
    mirrored = ("cluster", "serviceName", "taskDefinition", "desiredCount", "tags", "propagateTags")
    request = {key: call.params[key] for key in mirrored if key in call.params}
    ask_moto(call, "ecs", "CreateService", **{"desiredCount": 1} | request)


@always.before("ecs", "UpdateService")
def update(call: Call) -> Reply | None:
    """Update a service; a change of its tasks begins a deployment (botocore ServiceModel, UpdateService)."""
    service, params = active_service(call), call.params
    where = ("capacityProviderStrategy", "launchType")  # changing only these replaces no task
    before = {key: service.spec.get(key) for key in scheduler.ROLLED if key not in where}
    changed = {key: value for key, value in params.items() if key not in NOT_KEPT}
    if "taskDefinition" in changed:
        described = ask_moto(call, "ecs", "DescribeTaskDefinition", taskDefinition=changed["taskDefinition"])
        changed["taskDefinition"] = described["taskDefinition"]["taskDefinitionArn"]
    if "deploymentConfiguration" in changed:
        former = service.spec["deploymentConfiguration"]
        changed["deploymentConfiguration"] = _merged_configuration(former, changed["deploymentConfiguration"])
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


def _merged_configuration(former: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Merge `changes` into `former`; a strategy and its settings that are not given return to their defaults."""
    strategy_keys = ("strategy", "bakeTimeInMinutes", "lifecycleHooks", "linearConfiguration", "canaryConfiguration")
    rest = {key: value for key, value in former.items() if key not in strategy_keys}
    if changes.get("strategy", "ROLLING") in strategies.NATIVE:
        # The circuit breaker is for rolling updates alone (botocore, DeploymentConfiguration).
        rest["deploymentCircuitBreaker"] = DEPLOYMENT["deploymentCircuitBreaker"]
    return {key: DEPLOYMENT[key] for key in strategy_keys if key in DEPLOYMENT} | rest | changes


def _check_forced(spec: dict[str, Any], params: dict[str, Any]) -> None:
    """Refuse a new capacity provider strategy without a forced deployment (kayac/ecspresso#977)."""
    strategy = params.get("capacityProviderStrategy")
    if strategy is None or params.get("forceNewDeployment"):
        return
    if _spread(strategy) != _spread(spec.get("capacityProviderStrategy", [])):
        raise AwsError(
            "InvalidParameterException",
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment.",
        )


def _spread(strategy: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {item["capacityProvider"]: (item.get("base", 0), item.get("weight", 0)) for item in strategy}


def _check_strategy(spec: dict[str, Any]) -> None:
    """Require what an ECS-native strategy needs of load balancers (botocore, AdvancedConfiguration)."""
    configuration = spec["deploymentConfiguration"]
    if configuration.get("strategy") not in strategies.NATIVE:
        return
    for balancer in spec["loadBalancers"]:
        required = {"alternateTargetGroupArn", "productionListenerRule", "roleArn"}
        if not required <= balancer.get("advancedConfiguration", {}).keys():
            message = f"advancedConfiguration is required for the deployment strategy {configuration['strategy']}."
            raise AwsError("InvalidParameterException", message)


@always.before("ecs", "DeleteService")
def delete(call: Call) -> Reply | None:
    """Begin to delete a service; refuse one that is scaled above 0, unless forced."""
    service = find_service(call, call.params["service"])
    if service is None or service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.desired > 0 and not call.params.get("force"):
        message = "The service cannot be stopped while it is scaled above 0."
        raise AwsError("InvalidParameterException", message)
    if service.status == "ACTIVE":
        scheduler.delete(service)
    return {"service": service_view(service)}


def _remove_from_moto(service: Service) -> None:
    """Remove an ended service and its scaling from moto (hashicorp/terraform-provider-aws#14254, #10432)."""
    cluster = service.cluster.rpartition("/")[2]
    moto_services = backend("ecs", service.place.account, service.place.region).services
    moto_services.pop(f"{cluster}:{service.name}", None)
    scaling.forget_service(service.place, f"service/{cluster}/{service.name}")


scheduler.when_inactive.append(_remove_from_moto)


@always.before("ecs", "DescribeServices")
def describe(call: Call) -> Reply | None:
    """Describe services; an unknown one is a failure MISSING, not an error."""
    views: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    cluster = cluster_arn(call)
    for name in call.params["services"]:
        service = find_service(call, name)
        if service is None:
            arn = f"{cluster.replace(':cluster/', ':service/')}/{name.rpartition('/')[2]}"
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        view = service_view(service)
        if "TAGS" in call.params.get("include", []):
            view["tags"] = service_tags(service)
        views.append(view)
    return {"services": views, "failures": failures}


@always.before("ecs", "ListServices")
def list_services(call: Call) -> Reply | None:
    """List the services that are not INACTIVE."""
    listed = services_in(call.place, cluster_arn(call))
    if launch_type := call.params.get("launchType"):
        listed = [service for service in listed if service.spec.get("launchType") == launch_type]
    return {"serviceArns": sorted(service.arn for service in listed)}


@always.after("application-autoscaling", "RegisterScalableTarget")
def clamp_desired_count(call: Call, _: Reply) -> None:
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
