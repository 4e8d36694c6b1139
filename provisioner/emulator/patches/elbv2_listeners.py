"""Listeners, rules and target groups: repeated creates return the existing one, and replies are completed."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend, list_moto
from provisioner.emulator.patches.elbv2_balancers import balancers
from provisioner.emulator.wire import Call

# The second member in which AWS returns the values of a condition: botocore ServiceModel, RuleCondition.
TWICE = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}


@always.before("elbv2", "CreateTargetGroup")
def create_target_group(call: Call) -> Reply | None:
    """Return an existing target group of the name if its settings are the same; refuse if they differ.

    Source: botocore ServiceModel.
    """
    name = call.params["Name"]
    groups = backend("elbv2", call.account, call.region).target_groups
    if not any(group.name == name for group in groups.values()):
        return None
    described = ask_moto(call, "elbv2", "DescribeTargetGroups", Names=[name])
    (group,) = described["TargetGroups"]
    settings = {
        "TargetGroupName" if key == "Name" else key: value for key, value in call.params.items() if key != "Tags"
    }
    settings["TargetType"] = call.params.get("TargetType", "instance")
    if any(group.get(key) != value for key, value in settings.items()):
        message = f"A target group with the same name '{name}' exists, but with different settings"
        raise AwsError("DuplicateTargetGroupName", message)
    return {"TargetGroups": described["TargetGroups"]}


@always.before("elbv2", "CreateListener")
def create_listener(call: Call) -> Reply | None:
    """Return an existing listener on the port if it is the same; refuse if it differs.

    An HTTPS listener also needs a certificate that is issued. Source: botocore ServiceModel.
    """
    params = call.params
    balancer = balancers(call).get(params["LoadBalancerArn"])
    if balancer is None:
        return None
    if params.get("Protocol") == "HTTPS":
        _check_certificates(call)
    if not any(listener.port == params.get("Port") for listener in balancer.listeners.values()):
        return None
    listeners = list_moto(call, "elbv2", "DescribeListeners", LoadBalancerArn=balancer.arn)["Listeners"]
    (listener,) = [listener for listener in listeners if listener["Port"] == params["Port"]]
    if _canonical(listener) != _canonical(params):
        message = f"A listener already exists on this port for this load balancer '{balancer.arn}'"
        raise AwsError("DuplicateListener", message)
    return {"Listeners": [listener]}


@always.before("elbv2", "ModifyListener")
def modify_listener(call: Call) -> None:
    """Refuse a new certificate that is not issued."""
    if call.params.get("Certificates"):
        _check_certificates(call)


def _check_certificates(call: Call) -> None:
    """Refuse a call without a certificate, or with one that is not issued."""
    certificates = call.params.get("Certificates", [])
    if not certificates:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    issued = backend("acm", call.account, call.region)._certificates
    for certificate in certificates:
        moto_certificate = issued.get(certificate["CertificateArn"])
        if moto_certificate is not None and moto_certificate.status == "PENDING_VALIDATION":
            message = (
                f"The certificate '{moto_certificate.arn}' must have a fully-qualified domain name, a supported"
                " signature, and a supported key size."
            )
            raise AwsError("UnsupportedCertificate", message)


def _canonical(listener: dict[str, Any]) -> dict[str, Any]:
    """Return the protocol, certificates and actions of a listener in the form in which they are compared."""
    certificates = [c["CertificateArn"] for c in listener.get("Certificates", [])]
    actions = [dict(action) for action in listener["DefaultActions"]]
    for action in actions:
        _mirror_action(action)
        action.pop("Order", None)
    return {"protocol": listener.get("Protocol"), "certificates": certificates, "actions": actions}


def _mirror_action(action: dict[str, Any]) -> None:
    """Give a forward action both of AWS's forms: a target group, and a list of weighted target groups."""
    if action["Type"] != "forward":
        return
    config = action.get("ForwardConfig")
    if not config:
        config = {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]}
    groups = [{"Weight": 1} | group for group in config["TargetGroups"]]
    sticky = config.get("TargetGroupStickinessConfig") or {"Enabled": False}
    action["ForwardConfig"] = {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}
    if len(groups) == 1:
        action["TargetGroupArn"] = groups[0]["TargetGroupArn"]


# By ARN: members of listeners and rules that moto accepts but does not return (botocore ServiceModel).
_not_kept: AccountStore[dict[str, Any]] = AccountStore()


@always.before("elbv2", "ModifyRule")
def modify_rule(call: Call) -> Reply | None:
    """Answer a change of transforms alone with the rule as it is, since moto requires another change as well.

    `keep_transforms` then keeps the new transforms.
    """
    params = call.params
    if params.keys() & {"Conditions", "Actions"} or not params.keys() & {"Transforms", "ResetTransforms"}:
        return None
    return ask_moto(call, "elbv2", "DescribeRules", RuleArns=[params["RuleArn"]])


@always.after("elbv2", "CreateRule", "ModifyRule")
def keep_transforms(call: Call, reply: Reply) -> None:
    """Keep the transforms by which a rule rewrites requests, or forget them on `ResetTransforms`."""
    for rule in reply["Rules"]:
        if call.params.get("ResetTransforms"):
            _not_kept.of(call).pop(rule["RuleArn"], None)
        elif "Transforms" in call.params:
            _not_kept.of(call)[rule["RuleArn"]] = {"Transforms": call.params["Transforms"]}


@always.after("elbv2", "CreateListener", "ModifyListener")
def keep_authentication(call: Call, reply: Reply) -> None:
    """Keep the mutual authentication of a listener: how it asks clients for certificates."""
    for listener in reply["Listeners"]:
        if setting := call.params.get("MutualAuthentication"):
            _not_kept.of(call)[listener["ListenerArn"]] = {"MutualAuthentication": setting}


@always.after("elbv2", "CreateListener", "DescribeListeners", "ModifyListener")
def complete_listeners(call: Call, reply: Reply) -> None:
    """Correct listeners: both forms of actions, mutual authentication, and a TLS policy only with TLS."""
    for listener in reply["Listeners"]:
        if listener.get("Protocol") == "HTTPS":
            listener["MutualAuthentication"] = {"Mode": "off"}
        listener.update(_not_kept.of(call).get(listener["ListenerArn"], {}))
        for action in listener.get("DefaultActions", []):
            _mirror_action(action)
        if listener.get("Protocol") not in ("HTTPS", "TLS"):
            listener.pop("SslPolicy", None)


@always.after("elbv2", "CreateRule", "DescribeRules", "ModifyRule", "SetRulePriorities")
def complete_rules(call: Call, reply: Reply) -> None:
    """Correct rules: add the kept transforms, and both of AWS's forms of actions and conditions."""
    for rule in reply["Rules"]:
        rule.update(_not_kept.of(call).get(rule["RuleArn"], {}))
        for action in rule.get("Actions", []):
            _mirror_action(action)
        for condition in rule.get("Conditions", []):
            config = TWICE.get(condition.get("Field", ""))
            if config:
                values = condition.get("Values") or condition.get(config, {}).get("Values", [])
                condition["Values"] = values
                condition[config] = {"Values": values}
