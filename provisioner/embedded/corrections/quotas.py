"""Service Quotas: the limits of an account that has asked for more, as one with many stacks must."""

from __future__ import annotations

from provisioner.embedded.answers import Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

# VPCs, internet gateways and addresses of a region, NAT gateways of a zone: AWS gives 5 of each at first.
RAISED = dict.fromkeys(("L-F678F1CE", "L-A4707A72", "L-0263D0A3", "L-FE5A380F"), 100.0)
# ECS developer guide, Fargate usage metrics: the processors that run now, by their class.
FARGATE = {"L-3032A538": "Standard/OnDemand", "L-36FBB829": "Standard/Spot"}
GRANTED = {**RAISED, **dict.fromkeys(FARGATE, 60.0)}

_asked: Shelf[float] = Shelf()  # what was asked for since, and given


@always.before("service-quotas", "RequestServiceQuotaIncrease")
def request_increase(call: Call) -> Reply:
    """Give what is asked for, which is pending at first (botocore, RequestedServiceQuotaChange)."""
    asked = {key: call.params[key] for key in ("ServiceCode", "QuotaCode", "DesiredValue")}
    _asked.of(call)[asked["QuotaCode"]] = float(asked["DesiredValue"])
    return {"RequestedQuota": {**asked, "Status": "PENDING"}}


def _granted(call: Call) -> float:
    code = call.params["QuotaCode"]
    return _asked.of(call).get(code, GRANTED[code])


@always.before("service-quotas", "GetServiceQuota")
def get_service_quota(call: Call) -> Reply | None:
    """Tell what was granted; of all else moto tells AWS's usual value."""
    code = call.params["QuotaCode"]
    if code not in GRANTED:
        return None
    service = call.params["ServiceCode"]
    quota = {"ServiceCode": service, "QuotaCode": code, "Value": _granted(call), "Adjustable": True}
    if code in FARGATE:
        quota["UsageMetric"] = {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {
                "Class": FARGATE[code],
                "Resource": "vCPU",
                "Service": "Fargate",
                "Type": "Resource",
            },
            "MetricStatisticRecommendation": "Maximum",
        }
    return {"Quota": quota}
