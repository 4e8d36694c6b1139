"""Checks of the load balancer: that it is active, its rules lead to the services, and targets are healthy."""

from __future__ import annotations

from itertools import groupby

from provisioner.doctor.check import Finding, JsonObject, ReadResult
from provisioner.resources.ecs.foreign_targets import describe_target
from provisioner.resources.ecs.traffic_shifts import TrafficShift, traffic_shifts
from provisioner.resources.elbv2.request_routing import path_values, target_groups_of, unreachable_rules

# ELB API reference, TargetHealth: the states of a target that is healthy, or on its way in or out.
_HEALTHY_OR_CHANGING = ("initial", "draining", "healthy")
# ELB API reference, Action: the actions that may come before a forward.
_SIGN_IN_ACTIONS = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
_ALL_REFUSED = "All requests of this group are answered with "


def balancer_is_active(result: ReadResult) -> Finding | None:
    """Check that the load balancer exists and is active."""
    balancer = result.actual
    consequence = "Nothing that CloudFront sends on is answered."
    if balancer is None:
        return result.missing_finding("balancer-absent", consequence)
    state = balancer["State"]
    if state["Code"] != "active":
        reason = f": {state['Reason']}" if state.get("Reason") else ""
        problem = f"The {result.description} is {state['Code']}{reason}."
        command = _inactive_balancer_command(balancer["LoadBalancerArn"], state["Code"])
        return Finding("balancer-not-active", problem, consequence, command)
    return None


def _inactive_balancer_command(arn: str, state_code: str) -> str:
    """Return the command for a load balancer that is not active: delete a failed one, wait for any other."""
    if state_code == "failed":
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
    shifts = [shift for service in services for shift in traffic_shifts(service)]
    return (
        _find_service_without_rule(rules, services, shifts)
        or _find_unshifted_rule(rules, shifts)
        or _find_rule_without_service(rules, services, shifts)
    )


def _find_service_without_rule(
    rules: list[JsonObject], services: list[JsonObject], shifts: list[TrafficShift]
) -> Finding | None:
    """Return a finding if no rule forwards to the target group of a service."""
    used_groups = {group for rule in rules for group in target_groups_of(rule)}
    groups_of_shift = {shift.own_group: shift.groups for shift in shifts}
    for service in services:
        for target in service["loadBalancers"]:
            group = target["targetGroupArn"]
            if not groups_of_shift.get(group, {group}) & used_groups:
                problem = f"No rule of the load balancer leads to the service {service['serviceName']} ({group})."
                return Finding("service-not-led-to", problem, "Its tasks run, and no request reaches them.", "apply")
    return None


def _find_rule_without_service(
    rules: list[JsonObject], services: list[JsonObject], shifts: list[TrafficShift]
) -> Finding | None:
    """Return a finding if a rule forwards to a target group of no service; None if there are no services."""
    service_groups = {target["targetGroupArn"] for service in services for target in service["loadBalancers"]}
    service_groups |= {shift.alternate_group for shift in shifts}
    for rule in rules if services else ():
        for group in target_groups_of(rule):
            if group not in service_groups:
                problem = f"The rule {_describe_rule(rule)} leads to {group}, which no service is in."
                return Finding("rule-leads-astray", problem, "Requests for it are answered with 503.", "apply")
    return None


def rules_keep_requests(listeners: list[JsonObject], rules: list[JsonObject]) -> Finding | None:
    """Check that requests reach the tasks unchanged, and that nobody must sign in or show a certificate."""
    for listener in listeners:
        if (listener.get("MutualAuthentication") or {}).get("Mode") == "verify":
            problem = f"The load balancer asks for a client certificate on port {listener['Port']}."
            return Finding("certificate-asked", problem, "CloudFront shows none and is turned away.", "apply")
    for rule in rules:
        if rewrites := sorted({transform["Type"] for transform in rule.get("Transforms") or []}):
            problem = f"The rule {_describe_rule(rule)} rewrites requests ({', '.join(rewrites)})."
            return Finding(
                "request-rewritten", problem, "The service gets another request than the client sent.", "apply"
            )
        if sign_ins := [action["Type"] for action in rule["Actions"] if action["Type"] in _SIGN_IN_ACTIONS]:
            problem = f"The rule {_describe_rule(rule)} admits only who has signed in ({sign_ins[0]})."
            return Finding("sign-in-asked", problem, "Everybody else is turned away.", "apply")
    return None


def _find_unshifted_rule(rules: list[JsonObject], shifts: list[TrafficShift]) -> Finding | None:
    """Return a finding if a rule still forwards to a target group from which ECS has shifted the traffic.

    ECS shifts requests only on one rule, so other rules to the same service go on forwarding to the former
    group.
    """
    for shift in shifts:
        shifted_rules = [rule for rule in rules if rule["RuleArn"] in shift.rules[:1]]
        current_groups = {group for rule in shifted_rules for group in target_groups_of(rule)}
        others = [rule for rule in rules if rule["RuleArn"] not in shift.rules]
        for rule in others if current_groups else ():
            groups = set(target_groups_of(rule))
            if groups and groups <= shift.groups - current_groups:
                problem = (
                    f"The rule {_describe_rule(rule)} leads to {min(groups)}, which {shift.service} has left: its "
                    f"strategy {shift.strategy} shifts requests on one rule alone."
                )
                command = _forward_command(rule, min(current_groups))
                return Finding("rule-not-shifted", problem, "Requests for it are answered with 503.", command)
    return None


def _forward_command(rule: JsonObject, group: str) -> str:
    """Return the command that makes a rule forward to a group; for a default rule it changes the listener."""
    action, arn = f"Type=forward,TargetGroupArn={group}", str(rule["RuleArn"])
    if rule["IsDefault"]:
        listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        return f"aws elbv2 modify-listener --listener-arn {listener} --default-actions {action}"
    return f"aws elbv2 modify-rule --rule-arn {arn} --actions {action}"


def rules_are_reachable(rules: list[JsonObject]) -> Finding | None:
    """Check that each rule can get requests: no rules before it take all of them."""
    by_port = sorted(rules, key=lambda rule: int(rule["Port"]))
    for _, port_rules in groupby(by_port, key=lambda rule: int(rule["Port"])):
        for rule, earlier_patterns in unreachable_rules(port_rules):
            problem = (
                f"The rule {_describe_rule(rule)} gets no requests: {' and '.join(earlier_patterns)} come before it."
            )
            return Finding("rule-never-asked", problem, "Its requests are answered by another service.", "apply")
    return None


def _describe_rule(rule: JsonObject) -> str:
    """Return a rule in words: by its paths, else by its priority."""
    paths = path_values(rule)
    return f"for {', '.join(paths)}" if paths else f"of priority {rule['Priority']}"


def targets_are_healthy(targets: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that each target group has a healthy target, and no target that fails its health check."""
    for arn, descriptions in targets.items():
        name = arn.split("/")[1]
        healths = [description["TargetHealth"] for description in descriptions]
        failing = [health for health in healths if health["State"] not in _HEALTHY_OR_CHANGING]
        has_healthy = any(health["State"] == "healthy" for health in healths)
        if failing:
            state, reason = failing[0]["State"], failing[0].get("Reason", "no reason")
            detail = failing[0].get("Description", "")
            problem = f"{len(failing)} of {len(healths)} targets of {name} are {state}: {reason} ({detail})."
            consequence = "Requests go to the others." if has_healthy else f"{_ALL_REFUSED}5xx."
            return Finding("targets-fail", problem, consequence, "logs --since 15m")
        if not healths:
            # ECS registers a task only once, when it starts, so the tasks have to be restarted.
            problem = f"No target is registered in {name}: ECS registers a task only when it starts."
            return Finding("targets-absent", problem, f"{_ALL_REFUSED}503.", "restart")
        if not has_healthy:
            problem = f"No target of {name} is healthy; {len(healths)} are registered."
            return Finding("targets-not-ready", problem, f"{_ALL_REFUSED}503.", "status")
    return None


def targets_are_tasks(foreign: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that all targets of the target groups are tasks of the cluster."""
    for arn, targets in foreign.items():
        if targets:
            names = ", ".join(describe_target(target["Target"]) for target in targets)
            problem = f"Somebody registered {names} in {arn.split('/')[1]}: no task of the cluster is there."
            return Finding("target-strange", problem, "It gets requests that are meant for the tasks.", "apply")
    return None
