"""What the Fargate tasks of a service cost."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.types.charges import HOURS_PER_MONTH, Doc, MonthlyCharge, PricedResources

# The price of Spot as a share of the on-demand price: "up to 70 % off" (AWS Fargate pricing). Spot has no
# list price, as it changes.
SPOT_SHARE = 0.3


def task_charges(props: Doc, resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a service's Fargate tasks: vCPUs and memory by the hour."""
    task = resources.properties_of(props.get("taskDefinition"))
    arm = "arm_" if (task.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64" else ""
    least, most = _task_counts(props, resources)
    cpu, gib = int(task.get("cpu") or 0) / 1024, int(task.get("memory") or 0) / 1024
    for price, size in ((f"fargate_{arm}cpu_hour", cpu), (f"fargate_{arm}gb_hour", gib)):
        hours = [HOURS_PER_MONTH * size * _on_demand_equivalent(task_count, props) for task_count in (least, most)]
        yield MonthlyCharge("Fargate tasks", price, hours[0], hours[1])


def _task_counts(props: Doc, resources: PricedResources) -> tuple[int, int]:
    """Return the least and the greatest number of tasks: autoscaling's bounds, else the declared number."""
    name = str(props.get("serviceName"))
    for target in resources.of_type("ScalableTarget"):
        if str(target.get("ResourceId", "")).endswith(f"/{name}"):
            return int(target["MinCapacity"]), int(target["MaxCapacity"])
    count = int(props.get("desiredCount") or 0)
    return count, count


def _on_demand_equivalent(task_count: int, props: Doc) -> float:
    """Return the number of on-demand tasks at the same cost, as some tasks run on Spot by its weight."""
    strategy = {provider["capacityProvider"]: provider for provider in props.get("capacityProviderStrategy") or []}
    on_demand, spot = strategy.get("FARGATE", {}), strategy.get("FARGATE_SPOT", {})
    weights = on_demand.get("weight", 0) + spot.get("weight", 0)
    rest = max(0, task_count - on_demand.get("base", 0))
    on_spot = rest * spot.get("weight", 0) / weights if weights else 0.0
    return task_count - on_spot * (1 - SPOT_SHARE)
