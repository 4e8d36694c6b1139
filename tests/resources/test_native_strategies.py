"""A service whose requests ECS itself leads over (blue/green, linear, canary), set by hand: told and left."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.iam.evaluator import Verdict, verdict
from provisioner.resources.ecs.traffic_shifts import strategy_seconds
from provisioner.resources.elbv2.request_routing import matching_rule, path_values, target_groups_of
from provisioner.steps.alb_rules import prefix_slug
from tests.support.hosted_zones import Zone
from tests.support.least_privilege import exactly, printed
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.native_strategy import NativeStrategy, native
from tests.support.typed_answers import type_it
from tests.support.user import User

IMAGE = "public.ecr.aws/acme/model:1.4.2"
LARGER = ("--set", "container.cpu=2048", "--set", "container.memory=4096")


@pytest.fixture
def led(live_stack: LiveStack) -> Iterator[NativeStrategy]:
    """The main service of a stack that stands, led over by ECS; as before after it."""
    with native(live_stack) as one:
        yield one
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def owners(user: User, command: str) -> set[str]:
    """To whom a command says that something is left."""
    (told,) = user.well(command, "--suffix", SUFFIX, "--json").lines
    if command == "plan":
        return {one["owner"] for one in told["held"]}
    return {each["owner"] for one in told["drift"] if one["what"] == "held" for each in one["fields"]}


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "LINEAR", "CANARY", "SOME_NEWER_ONE"])
def test_the_weights_and_the_strategy_are_told_and_left(live_stack: LiveStack, strategy: str) -> None:
    user = live_stack.desk
    with native(live_stack, strategy) as led:
        before = user.mark()

        assert user.plan(SUFFIX) == "No changes.\n"
        user.apply(SUFFIX)

        assert user.acts(before) == []
        assert led.strategy == strategy
        shifter = f"ECS, by the strategy {strategy} of ml-api-service-{SUFFIX}"
        assert shifter in owners(user, "plan") & owners(user, "drift")
        if strategy != "SOME_NEWER_ONE":
            assert led.weights == (0, 100)
            assert f"whoever chose the deployment strategy {strategy}" in owners(user, "plan")
    assert user.plan(SUFFIX) == "No changes.\n"


def test_an_apply_deploys_by_the_strategy_that_it_found(led: NativeStrategy) -> None:
    user = led.stack.desk

    user.apply(SUFFIX, *LARGER)

    assert led.strategy == "BLUE_GREEN"
    assert led.weights == (100, 0)
    assert led.deployment["lifecycleStage"] == "CLEAN_UP"
    assert led.stack.task["cpu"] == "2048"
    user.apply(SUFFIX)
    assert led.weights == (0, 100)


def test_a_stack_that_is_adopted_keeps_the_strategy(led: NativeStrategy, tmp_path: Path) -> None:
    again = led.stack.desk.elsewhere(tmp_path / "another")
    before = again.mark()

    again.apply(SUFFIX)

    assert [one for one in again.acts(before) if "Service" in one or "Rule" in one] == []
    assert (led.strategy, led.weights) == ("BLUE_GREEN", (0, 100))


@pytest.mark.parametrize("setting", ["container.health_path=/ready", "container.port=9000"])
def test_another_group_or_port_is_refused_before_anything_is_changed(led: NativeStrategy, setting: str) -> None:
    user = led.stack.desk
    before = user.mark()

    planned = user.run("plan", "--suffix", SUFFIX, "--set", setting)
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, "--set", setting)

    assert "1 refused" in planned.out
    assert "leads its requests between two target groups" in planned.out
    service = led.stack.service
    assert f"--cluster {service['clusterArn']} --service {service['serviceName']} --deployment" in planned.out
    assert ran.code == 5, ran.out + ran.err
    assert user.tries(before) == []


def test_a_rule_that_changes_otherwise_keeps_its_weights(led: NativeStrategy) -> None:
    """Its priority was changed by hand: the handover of a rule knows nothing of ECS's weights."""
    user, elbv2 = led.stack.desk, led.stack.aws("elbv2")
    elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": led.rule, "Priority": 77}])
    assert "Priority" in user.plan(SUFFIX)

    user.apply(SUFFIX)

    assert led.weights == (0, 100)


def test_the_group_that_ecs_has_left_is_no_fault_and_a_rule_left_behind_is(led: NativeStrategy) -> None:
    """The stack has two rules to the group; ECS shifts the one that it was told of."""
    user = led.stack.desk
    drift = user.run("drift", "--suffix", SUFFIX, "--detailed-exitcode")
    assert drift.code == 0, drift.out
    told = user.run("status", "--suffix", SUFFIX)
    assert "no target: ECS routes to the other target group" in told.out
    assert "Unhealthy" not in told.out + told.err

    sick = user.run("doctor", "--suffix", SUFFIX)
    assert "which ml-api-service-prod has left: its strategy BLUE_GREEN shifts requests" in sick.out

    for _ in range(2):  # a rule of a prefix, and what asks for none
        type_it(user, next(line for line in sick.out.splitlines() if "Type:" in line).partition("Type: ")[2])
        sick = user.run("doctor", "--suffix", SUFFIX)
    assert sick.code == 0, sick.out
    assert user.plan(SUFFIX) == "No changes.\n"


NEW_PREFIX = 'api.prefixes=["/api/v1/*", "/api/v2/*", "/new/*"]'


@pytest.mark.parametrize("group", ["the second", "the first"])
def test_a_new_rule_leads_to_the_group_that_serves(led: NativeStrategy, group: str) -> None:
    """It was born leading to our own group, which ECS may have left: each of its requests was a 503."""
    live_stack = led.stack
    if group == "the first":
        led.update(forceNewDeployment=True)

    live_stack.desk.apply(SUFFIX, "--set", NEW_PREFIX)

    # The placeholder knows its prefixes: ECS has led to the other group in the same run.
    serves = led.green if group == "the first" else led.blue
    assert led.serves == serves
    taken = matching_rule(led.rules, "/new/anything")
    assert taken is not None
    assert list(target_groups_of(taken)) == [serves]
    assert "/new/*" not in live_stack.desk.run("doctor", "--suffix", SUFFIX).out
    live_stack.desk.apply(SUFFIX)


def test_rules_that_were_led_after_ecs_s_own_follow_it_in_an_apply(led: NativeStrategy) -> None:
    """By `doctor`'s command; the rollout of the next apply would have left them where nobody serves."""
    user = led.stack.desk
    led.lead_all(led.green)
    assert user.plan(SUFFIX) == "No changes.\n"

    for settings in (LARGER, ()):
        user.apply(SUFFIX, *settings)

        every = (one for one in led.rules if {led.blue, led.green} & set(target_groups_of(one)))
        assert {group for one in every if not one["IsDefault"] for group in target_groups_of(one)} == {led.serves}
        assert "rule-not-shifted" not in user.run("doctor", "--suffix", SUFFIX).out


def test_a_rule_that_ecs_has_left_at_the_other_group_is_led_back_to_ours(led: NativeStrategy) -> None:
    user = led.stack.desk
    led.lead_all(led.green)
    led.update(forceNewDeployment=True)
    assert led.serves == led.blue
    assert "2 to change" in user.plan(SUFFIX)  # a rule, and what asks for none

    user.apply(SUFFIX)

    assert {group for one in led.rules for group in target_groups_of(one)} == {led.blue}


def test_the_rule_by_which_ecs_leads_is_not_taken_from_under_it(led: NativeStrategy) -> None:
    """With a domain all rules went to port 443 and our own group, which ECS had left: each answer was 503."""
    live_stack, zone = led.stack, Zone.of(led.stack.desk)
    (path,) = next(path_values(one) for one in led.rules if one["RuleArn"] == led.rule)
    (other,) = {"/api/v1/*", "/api/v2/*"} - {path}
    for settings in (zone.sets(), ("--set", f'api.prefixes=["{other}"]')):
        before = live_stack.desk.mark()

        planned = live_stack.desk.run("plan", "--suffix", SUFFIX, *settings)
        ran = live_stack.desk.run("apply", "--yes", "--suffix", SUFFIX, *settings)

        assert ran.code == 5, ran.err
        assert live_stack.desk.tries(before) == []
        for text in (planned.out, ran.err):
            assert f"alb/rule-{prefix_slug(path)}: it goes, and ECS, by the strategy BLUE_GREEN of" in text
            service = f"--cluster {live_stack.service['clusterArn']} --service {live_stack.service['serviceName']} "
            assert f"`aws ecs update-service {service}--deployment-configuration strategy=ROLLING" in text
    assert led.weights == (0, 100)


def test_a_rule_of_a_service_that_was_deleted_by_hand_comes_back_where_it_is_served(led: NativeStrategy) -> None:
    live_stack = led.stack
    behind = next(one for one in led.rules if not one["IsDefault"] and led.blue in target_groups_of(one))
    live_stack.aws("elbv2").delete_rule(RuleArn=behind["RuleArn"])

    live_stack.desk.apply(SUFFIX)

    (back,) = [one for one in led.rules if one["Priority"] == behind["Priority"]]
    assert list(target_groups_of(back)) == [led.green]


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked for", "another's"])
def test_drift_says_which_deployment_waits_in_a_service_that_no_run_has_confirmed(
    led: NativeStrategy, tmp_path: Path, is_asked: bool
) -> None:
    """A run was cut off while ECS waited at a hook; later somebody deployed another revision."""
    user = led.stack.desk
    led.pause("POST_SCALE_UP")
    led.update(forceNewDeployment=True)
    (told, command), ledger = led.waits, user.ledger(SUFFIX)
    before = ledger.read_text()
    known = json.loads(before)
    known["entries"]["service"]["phase"] = "updating"
    if not is_asked:
        known["entries"]["service"]["wanted"]["taskDefinition"] += "0"
    ledger.write_text(json.dumps(known))
    try:
        ran = user.run("drift", "--suffix", SUFFIX, "--markdown", str(tmp_path / "drift.md"))
        (record,) = user.run("drift", "--suffix", SUFFIX, "--json").lines
    finally:
        ledger.write_text(before)

    revision = led.stack.service["taskDefinition"].rpartition("/")[2]
    whose = "which the last run asked for" if is_asked else "which the last run did not ask for: somebody else"
    said = f"service: ECS deploys {revision}, {whose}"
    for text in (ran.err, (tmp_path / "drift.md").read_text()):
        assert said in text.replace("\\", "")
    assert f"by the strategy BLUE_GREEN that was set on the service by hand ({led.counts}): " in ran.err
    assert told in ran.err
    assert command in ran.err
    assert "Not compared, because no run has recorded it as ready yet: service. `apply` goes on with it." in ran.err
    assert told in record["under_way"]["service"]
    led.let_go()


def heard(process: subprocess.Popen[str], words: str) -> str:
    """The next line of its progress in which these words are."""
    assert process.stderr is not None
    return next(line for line in process.stderr if words in line)


@pytest.mark.parametrize("command", ["plan", "drift", "status", "doctor", "verify-gone"])
def test_who_looks_may_ask_where_a_deployment_waits(led: NativeStrategy, command: str) -> None:
    """Under exactly its own policy; what is healthy for the one is for the other."""
    user = led.stack.desk
    led.pause("POST_SCALE_UP")
    led.update(forceNewDeployment=True)
    told, line = led.waits

    of_apply = printed(user, "apply", SUFFIX)
    with exactly(user, command, SUFFIX) as asked:
        ran = user.run(command, "--suffix", SUFFIX, *(["--all"] if command == "doctor" else []))

    shifts = [one for one in asked if one.action == "ecs:DescribeServiceDeployments"]
    assert shifts
    # An apply, which would wait for the person too, asks the same.
    assert [one for one in shifts if verdict(of_apply, one) is not Verdict.ALLOWED] == []
    assert "not authorized" not in ran.out + ran.err
    assert "not checked" not in ran.out
    if command in ("status", "doctor"):
        assert ran.code == 1
        assert told in ran.out
        assert line in ran.out


def test_doctor_has_a_name_for_a_deployment_that_waits_and_for_one_that_is_under_way(led: NativeStrategy) -> None:
    user = led.stack.desk
    led.pause("POST_SCALE_UP")
    led.update(forceNewDeployment=True)

    def found() -> set[str]:
        told = user.run("doctor", "--all", "--json", "--suffix", SUFFIX).lines[0]["checks"]
        return {one["finding"] for one in told if one.get("finding")}

    assert "deployment-waits" in found()
    user.slow(1.0)
    try:
        led.let_go()
        assert "deployment-under-way" in found()
    finally:
        user.slow(0.0)


@pytest.mark.slow
def test_every_command_names_the_hook_that_waits_and_what_ends_it(live_stack: LiveStack) -> None:
    user, given = live_stack.desk, ("--yes", "--suffix", SUFFIX, "--local")
    with native(live_stack) as led:
        led.pause("POST_SCALE_UP")
        with user.spawn("deploy", "--image", IMAGE, *given) as shipping:
            heard(shipping, "it waits for you")
            shipping.terminate()
            shipping.communicate(timeout=60)
        told, command = led.waits

        status = user.run("status", "--suffix", SUFFIX)
        assert status.code == 1
        assert told in status.out
        assert command in status.out
        sick = user.run("doctor", "--all", "--suffix", SUFFIX)
        assert sick.code == 1
        assert f"has not completed ({led.counts}): it waits for you {told}" in sick.out
        assert f"Type: {command}" in sick.out

        with user.spawn("deploy", "--image", f"{IMAGE}-1", *given) as shipping:
            line = heard(shipping, "this takes its place")
            assert told in line
            assert command in line
            heard(shipping, "it waits for you")
            shipping.terminate()
            shipping.communicate(timeout=60)
        for verb in ("rollback", "restart"):
            told, command = led.waits
            with user.spawn(verb, *given) as going:
                assert told in heard(going, "this takes its place")
                heard(going, "it waits for you")
                going.terminate()
                going.communicate(timeout=60)

        told, command = led.waits
        with user.spawn("apply", *given) as applying:
            line = heard(applying, "it waits for you")
            assert told in line
            assert command in line
            led.let_go()
            out, err = applying.communicate(timeout=120)
        assert applying.returncode == 0, out + err
        assert user.run("status", "--suffix", SUFFIX).code == 0
        well = user.run("doctor", "--all", "--suffix", SUFFIX)
        assert "it waits for you" not in well.out
        assert "under way" not in well.out
    user.apply(SUFFIX, "--take", "image")


def test_deploy_follows_a_hook_that_waits_and_tells_how_it_goes_on(live_stack: LiveStack) -> None:
    user = live_stack.desk
    with native(live_stack) as led:
        hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
        limit = {"timeoutInMinutes": 90, "action": "ROLLBACK"}
        led.update(
            deploymentConfiguration={
                "strategy": "BLUE_GREEN",
                "bakeTimeInMinutes": 5,
                "lifecycleHooks": [{**hook, "timeoutConfiguration": limit}],
            }
        )
        with user.spawn("deploy", "--image", IMAGE, "--yes", "--suffix", SUFFIX, "--local") as shipping:
            assert shipping.stderr is not None
            line = next(line for line in shipping.stderr if "it waits for you" in line)
            (waits,) = led.deployment["lifecycleHookDetails"]
            assert f"at the hook {waits['hookId']} (POST_SCALE_UP) since " in line
            assert f" until {waits['expiresAt']:%Y-%m-%d %H:%M} UTC, when ECS takes ROLLBACK" in line
            assert "`aws ecs continue-service-deployment --service-deployment-arn" in line
            ecs, arn = live_stack.aws("ecs"), led.deployment["serviceDeploymentArn"]
            ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=waits["hookId"])
            out, err = shipping.communicate(timeout=120)
        assert shipping.returncode == 0, out + err
        assert led.weights == (100, 0)
        assert led.strategy == "BLUE_GREEN"
    user.apply(SUFFIX, "--take", "image")


def test_a_deployment_is_given_the_time_that_its_strategy_takes() -> None:
    told = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60}
    linear = {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 10}}
    canary = {"strategy": "CANARY", "bakeTimeInMinutes": 5}

    assert strategy_seconds({"deploymentConfiguration": told}) == 3600
    assert strategy_seconds({"deploymentConfiguration": linear}) == 3 * 600
    assert strategy_seconds({"deploymentConfiguration": canary}) == 15 * 60
    assert strategy_seconds({"deploymentConfiguration": {**told, "strategy": "ROLLING"}}) == 0
