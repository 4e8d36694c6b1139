"""What breaks at the load balancer: its state, its listeners and rules, and who is healthy behind it."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.ecs import targets
from tests.support.breakages.deed import Act, Break, close_in, close_out, insist, service, state
from tests.support.live_stack import LiveStack
from tests.support.native_strategy import NativeStrategy


def _become(word: str) -> Act:
    """Let AWS say so of the balancer."""

    def change(live_stack: LiveStack) -> None:
        state(live_stack, "elbv2").load_balancers[live_stack.balancer["LoadBalancerArn"]].state = word

    return change


def _listeners(live_stack: LiveStack) -> list[Any]:
    arn = live_stack.balancer["LoadBalancerArn"]
    return list(live_stack.aws("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"])


def _deafen(live_stack: LiveStack) -> None:
    for one in _listeners(live_stack):
        live_stack.aws("elbv2").delete_listener(ListenerArn=one["ListenerArn"])


def _forwards(live_stack: LiveStack) -> list[Any]:
    """The rules that lead to a target group."""
    elb = live_stack.aws("elbv2")
    every = [
        one
        for listener in _listeners(live_stack)
        for one in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]
    return [one for one in every if one["Actions"][0]["Type"] == "forward"]


def _lead_nowhere(live_stack: LiveStack) -> None:
    for one in _forwards(live_stack):
        live_stack.aws("elbv2").delete_rule(RuleArn=one["RuleArn"])


def _lead_astray(live_stack: LiveStack) -> None:
    """Lead one path to a target group that no service is in."""
    elb = live_stack.aws("elbv2")
    made = elb.create_target_group(Name="stray", Protocol="HTTP", Port=80, VpcId=live_stack.vpc, TargetType="ip")[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    astray = [{"Type": "forward", "TargetGroupArn": made}]
    insist(lambda: elb.modify_rule(RuleArn=_forwards(live_stack)[0]["RuleArn"], Actions=astray))


def _rewrite(live_stack: LiveStack) -> None:
    """Another path is asked of the service than of us."""
    rewrites = {"Rewrites": [{"Regex": "^/api/(.*)$", "Replace": "/$1"}]}
    transform = {"Type": "url-rewrite", "UrlRewriteConfig": rewrites}
    arn = _forwards(live_stack)[0]["RuleArn"]
    insist(lambda: live_stack.aws("elbv2").modify_rule(RuleArn=arn, Transforms=[transform]))


def _ask_for_certificates(live_stack: LiveStack) -> None:
    trusted = {"Mode": "verify", "TrustStoreArn": "arn:aws:elasticloadbalancing:us-east-1:1:truststore/t/1"}
    arn = _listeners(live_stack)[0]["ListenerArn"]
    insist(lambda: live_stack.aws("elbv2").modify_listener(ListenerArn=arn, MutualAuthentication=trusted))


def _ask_who_it_is(live_stack: LiveStack) -> None:
    """Somebody signs in before a rule of ours."""
    rule = _forwards(live_stack)[0]
    asked = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://id.example",
            "AuthorizationEndpoint": "https://id.example/a",
            "TokenEndpoint": "https://id.example/t",
            "UserInfoEndpoint": "https://id.example/u",
            "ClientId": "c",
            "ClientSecret": "s",
        },
    }
    actions = [asked, {**rule["Actions"][0], "Order": 2}]
    insist(lambda: live_stack.aws("elbv2").modify_rule(RuleArn=rule["RuleArn"], Actions=actions))


def _ask_the_wide_one_first(live_stack: LiveStack) -> None:
    """Somebody lets a rule of ours ask for every path, before another one of ours."""
    elb = live_stack.aws("elbv2")
    asked = [one for one in _forwards(live_stack) if not one["IsDefault"]]
    first = min(asked, key=lambda one: int(one["Priority"]))
    every = [{"Field": "path-pattern", "Values": ["/*"]}]
    insist(lambda: elb.modify_rule(RuleArn=first["RuleArn"], Conditions=every))


def _leave_the_group(live_stack: LiveStack) -> None:
    """Somebody takes the tasks out of their target group; ECS does not put them back."""
    elb = live_stack.aws("elbv2")
    arn = live_stack.target_group["TargetGroupArn"]
    listed = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    elb.deregister_targets(TargetGroupArn=arn, Targets=[one["Target"] for one in listed])


def _register(live_stack: LiveStack) -> None:
    """Somebody's own machine, beside the tasks."""
    live_stack.aws("elbv2").register_targets(
        TargetGroupArn=live_stack.target_group["TargetGroupArn"], Targets=[_STRANGER]
    )


def _sick(*_: Any) -> targets.HealthProblem:
    return "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"


def _recover(*, well: bool) -> Act:
    """Let the tasks be seen to again, or let that be over."""

    def change(live_stack: LiveStack) -> None:
        for task in service(live_stack).live:
            task.healthy = well

    return change


_STRANGER = {"Id": "10.0.9.9", "Port": 80}
BREAKS = (
    Break(
        "registered",
        "target-strange",
        _register,
        "Somebody registered 10.0.9.9:80 in ",
    ),
    Break(
        "balancer",
        "balancer-not-active",
        _become("provisioning"),
        "is provisioning",
        "aws elbv2 wait load-balancer-available",
        meanwhile=_become("active"),
        turn=0,
    ),
    Break("rules", "no-listener", _deafen, "listens on no port", also={"origin-port-unheard"}, turn=0),
    Break(
        "rules",
        "service-not-led-to",
        _lead_nowhere,
        "No rule of the load balancer leads to the service",
        turn=0,
    ),
    Break("rules", "rule-leads-astray", _lead_astray, "which no service is in", also={"targets-absent"}),
    Break("requests", "request-rewritten", _rewrite, "rewrites requests (url-rewrite)"),
    Break("requests", "certificate-asked", _ask_for_certificates, "asks for a client certificate", turn=0),
    Break("requests", "sign-in-asked", _ask_who_it_is, "only who has signed in (authenticate-oidc)", turn=0),
    Break(
        "rules",
        "rule-not-shifted",
        lambda live_stack: str(NativeStrategy.chosen(live_stack).rule),
        "shifts requests on one rule alone",
        "aws elbv2 modify-rule",
        also={"targets-absent"},
        turn=0,
        lasting=True,
    ),
    Break("rule-order", "rule-never-asked", _ask_the_wide_one_first, "gets no requests: /* come before it"),
    Break("path-in", "edge-shut-out", close_in("sg-alb"), "lets CloudFront in on port 443"),
    Break(
        "path-to-tasks",
        "group-shuts-out",
        close_in("sg-tasks"),
        "does not let the load balancer",
        also={"targets-fail"},
    ),
    Break(
        "path-to-tasks",
        "group-shuts-in",
        close_out("sg-alb"),
        "does not let it out to the tasks",
        also={"targets-fail"},
        turn=0,
    ),
    Break(
        "targets",
        "targets-fail",
        lambda _: targets.checks.append(_sick),
        "Target.ResponseCodeMismatch (Health checks failed with these codes: [500])",
        "logs --since 15m",
        meanwhile=lambda _: targets.checks.remove(_sick),
        turn=2,
    ),
    Break("targets", "targets-absent", _leave_the_group, "No target is registered", "restart", turn=0),
    Break(
        "targets",
        "targets-not-ready",
        _recover(well=False),
        "2 are registered",
        "status",
        meanwhile=_recover(well=True),
        turn=0,
    ),
)
