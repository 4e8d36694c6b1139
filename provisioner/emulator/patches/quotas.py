"""Service Quotas: an account with raised quotas, as an account with many stacks needs them."""

from __future__ import annotations

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call

# VPCs, internet gateways and addresses of a region, NAT gateways of a zone: AWS's default is 5 of each.
RAISED = dict.fromkeys(("L-F678F1CE", "L-A4707A72", "L-0263D0A3", "L-FE5A380F"), 100.0)
# The quotas of running Fargate vCPUs, and the class of each: ECS developer guide, Fargate usage metrics.
FARGATE = {"L-3032A538": "Standard/OnDemand", "L-36FBB829": "Standard/Spot"}
GRANTED = {**RAISED, **dict.fromkeys(FARGATE, 60.0)}

_asked: AccountStore[float] = AccountStore()  # by quota code: values that were requested, and granted


@always.before("service-quotas", "RequestServiceQuotaIncrease")
def request_increase(call: Call) -> Reply:
    """Grant the requested quota at once; reply PENDING, as AWS does first.

    Source: botocore, RequestedServiceQuotaChange.
    """
    request = {key: call.params[key] for key in ("ServiceCode", "QuotaCode", "DesiredValue")}
    _asked.of(call)[request["QuotaCode"]] = float(request["DesiredValue"])
    return {"RequestedQuota": {**request, "Status": "PENDING"}}


def _granted(call: Call) -> float:
    """Return the value of a quota: the one requested last, or else the raised one."""
    code = call.params["QuotaCode"]
    return _asked.of(call).get(code, GRANTED[code])


@always.before("service-quotas", "GetServiceQuota")
def get_service_quota(call: Call) -> Reply | None:
    """Answer with a raised quota; leave the others to moto, which has AWS's default values."""
    code = call.params["QuotaCode"]
    if code not in GRANTED:
        return None
    service = call.params["ServiceCode"]
    quota = {"ServiceCode": service, "QuotaCode": code, "Value": _granted(call), "Adjustable": True}
    if code in FARGATE:
        quota["UsageMetric"] = {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {"Class": FARGATE[code], "Resource": "vCPU", "Service": "Fargate", "Type": "Resource"},
            "MetricStatisticRecommendation": "Maximum",
        }
    return {"Quota": quota}
