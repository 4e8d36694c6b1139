"""Checks of the load balancer: that it is active, its rules lead to the services, and targets are healthy."""

from __future__ import annotations

from itertools import groupby

from provisioner.doctor.finding import Finding, JsonObject, ReadResult
from provisioner.resources.ecs.deployment_strategies import TrafficShift, traffic_shifts
from provisioner.resources.ecs.foreign_targets import describe_target
from provisioner.resources.elbv2.request_routing import path_values, target_groups_of, unreachable_rules

# ELB API reference, TargetHealth: the states of a target that is healthy, or on its way in or out.
_PASSING = ("initial", "draining", "healthy")
# ELB API reference, Action: the actions that may come before a forward.
_SIGN_IN = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
_ALL_REFUSED = "All requests of this group are answered with "


def balancer_is_active(result: ReadResult) -> Finding | None:
    """Check that the load balancer exists and is active."""
    doc = result.actual
    why = "Nothing that CloudFront sends on is answered."
    if doc is None:
        return result.missing_finding("balancer-absent", why)
    state = doc["State"]
    if state["Code"] != "active":
        told = f": {state['Reason']}" if state.get("Reason") else ""
        what = f"The {result.description} is {state['Code']}{told}."
        return Finding("balancer-not-active", what, why, _raised(doc["LoadBalancerArn"], state["Code"]))
    return None


def _raised(arn: str, code: str) -> str:
    """Return the command for a load balancer that is not active: delete a failed one, wait for any other."""
    if code == "failed":
        return f"aws elbv2 delete-load-balancer --load-balancer-arn {arn}"
    return f"aws elbv2 wait load-balancer-available --load-balancer-arns {arn}"


def rules_reach_services(
    listeners: list[JsonObject], rules: list[JsonObject], services: list[JsonObject]
) -> Finding | None:
    """Check that each service's target group gets requests, and that no rule forwards to another group.

    If ECS shifts the service's traffic between two target groups, either of them counts.
    """
    if not listeners:
        return Finding("no-listener", "The load balancer listens on no port.", "It answers nobody.", "apply")
    led = {group for rule in rules for group in target_groups_of(rule)}
    shifts = [shift for service in services for shift in traffic_shifts(service)]
    pairs = {shift.own_group: shift.groups for shift in shifts}
    for service in services:
        for one in service["loadBalancers"]:
            if not pairs.get(one["targetGroupArn"], {one["targetGroupArn"]}) & led:
                name = service["serviceName"]
                what = f"No rule of the load balancer leads to the service {name} ({one['targetGroupArn']})."
                return Finding("service-not-led-to", what, "Its tasks run, and no request reaches them.", "apply")
    if beside := _left_behind(rules, shifts):
        return beside
    joined = {one["targetGroupArn"] for service in services for one in service["loadBalancers"]}
    joined |= {shift.alternate_group for shift in shifts}
    for rule in rules:
        lost = [group for group in target_groups_of(rule) if group not in joined]
        if services and lost:
            what = f"The rule {_told(rule)} leads to {lost[0]}, which no service is in."
            return Finding("rule-leads-astray", what, "Requests for it are answered with 503.", "apply")
    return None


def rules_keep_requests(listeners: list[JsonObject], rules: list[JsonObject]) -> Finding | None:
    """Check that requests reach the tasks unchanged, and that nobody must sign in or show a certificate."""
    for one in listeners:
        if (one.get("MutualAuthentication") or {}).get("Mode") == "verify":
            what = f"The load balancer asks for a client certificate on port {one['Port']}."
            return Finding("certificate-asked", what, "CloudFront shows none and is turned away.", "apply")
    for rule in rules:
        if rewrites := sorted({one["Type"] for one in rule.get("Transforms") or []}):
            what = f"The rule {_told(rule)} rewrites what is asked ({', '.join(rewrites)})."
            return Finding(
                "request-rewritten", what, "The service is asked for something else than the client.", "apply"
            )
        if asks := [one["Type"] for one in rule["Actions"] if one["Type"] in _SIGN_IN]:
            what = f"The rule {_told(rule)} lets in only who has signed in ({asks[0]})."
            return Finding("sign-in-asked", what, "Everybody else is turned away.", "apply")
    return None


def _left_behind(rules: list[JsonObject], shifts: list[TrafficShift]) -> Finding | None:
    """Return a finding if a rule still forwards to a target group from which ECS has shifted the traffic.

    ECS shifts requests only on one rule, so other rules to the same service go on forwarding to the former
    group.
    """
    for shift in shifts:
        own = {group for rule in rules if rule["RuleArn"] in shift.rules[:1] for group in target_groups_of(rule)}
        for rule in rules if own else ():
            to = set(target_groups_of(rule))
            if rule["RuleArn"] in shift.rules or not to or not to <= shift.groups or to & own:
                continue
            (now, *_) = sorted(own)
            what = (
                f"The rule {_told(rule)} leads to {min(to)}, which {shift.service} has left: its strategy "
                f"{shift.strategy} shifts requests on one rule alone."
            )
            why = "Requests for it are answered with 503."
            return Finding("rule-not-shifted", what, why, _led_by_hand(rule, now))
    return None


def _led_by_hand(rule: JsonObject, group: str) -> str:
    """Return the command that makes a rule forward to a group; for a default rule it changes the listener."""
    action, arn = f"Type=forward,TargetGroupArn={group}", str(rule["RuleArn"])
    if rule["IsDefault"]:
        listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        return f"aws elbv2 modify-listener --listener-arn {listener} --default-actions {action}"
    return f"aws elbv2 modify-rule --rule-arn {arn} --actions {action}"


def rules_are_reachable(rules: list[JsonObject]) -> Finding | None:
    """Check that each rule can get requests: no rules before it take all of them."""
    by_port = sorted(rules, key=lambda rule: int(rule["Port"]))
    for _, listed in groupby(by_port, key=lambda rule: int(rule["Port"])):
        for rule, takers in unreachable_rules(listed):
            what = f"The rule {_told(rule)} is never asked: {' and '.join(takers)} stand before it."
            return Finding("rule-never-asked", what, "Its requests are answered by another service.", "apply")
    return None


def _told(rule: JsonObject) -> str:
    """Return a rule in words: by its paths, else by its priority."""
    paths = path_values(rule)
    return f"for {', '.join(paths)}" if paths else f"of priority {rule['Priority']}"


def targets_are_healthy(targets: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that each target group has a healthy target, and no target that fails its health check."""
    for arn, listed in targets.items():
        name = arn.split("/")[1]
        states = [one["TargetHealth"] for one in listed]
        bad = [one for one in states if one["State"] not in _PASSING]
        well = sum(one["State"] == "healthy" for one in states)
        if bad:
            reason, said = bad[0].get("Reason", "no reason"), bad[0].get("Description", "")
            what = f"{len(bad)} of {len(states)} targets of {name} are {bad[0]['State']}: {reason} ({said})."
            why = "Requests go to the others." if well else f"{_ALL_REFUSED}5xx."
            return Finding("targets-fail", what, why, "logs --since 15m")
        if not states:
            # ECS registers a task only once, when it starts, so the tasks have to be restarted.
            what = f"In {name} nobody is registered; only tasks that start are."
            return Finding("targets-absent", what, f"{_ALL_REFUSED}503.", "restart")
        if not well:
            what = f"No target of {name} is healthy; {len(states)} are registered."
            return Finding("targets-not-ready", what, f"{_ALL_REFUSED}503.", "status")
    return None


def targets_are_tasks(foreign: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that all targets of the target groups are tasks of the cluster."""
    for arn, listed in foreign.items():
        if listed:
            names = ", ".join(describe_target(one["Target"]) for one in listed)
            what = f"Somebody registered {names} in {arn.split('/')[1]}: no task of the cluster is there."
            return Finding("target-strange", what, "It is sent requests that are meant for the tasks.", "apply")
    return None
