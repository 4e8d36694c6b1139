"""Settings that are taken and can never work are told, those that AWS refuses are refused; both in a plan."""

from __future__ import annotations

import pytest

from provisioner.settings import Settings
from provisioner.settings.ineffective import IDLE_TIMEOUT_SECONDS
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import SCALING
from tests.support.user import User

NAMED = ("--suffix", "a")
WAF = ("waf.enabled=true", "waf.common=off", "waf.bad_inputs=off", "waf.reputation=off")
NEVER: list[tuple[list[str], str]] = [
    (
        ["alarms.enabled=false", 'alarms.emails=["a@b.ch"]'],
        "nothing is sent to a@b.ch.",
    ),
    (["alarms.enabled=true", "alarms.database_cpu=100"], "Set alarms.database_cpu=99 or less."),
    (["alarms.enabled=true", "alarms.database_acu=100"], "Set alarms.database_acu=99 or less."),
    (["alarms.enabled=true", "alarms.latency=60"], "Set alarms.latency below 60."),
    ([*WAF, "waf.rate=off"], "the firewall costs and lets every request through."),
]
WORKS: list[list[str]] = [
    ["alarms.enabled=true", 'alarms.emails=["a@b.ch"]', "alarms.database_cpu=99", "alarms.latency=59.9"],
    ["alarms.enabled=false", "alarms.database_cpu=100", "alarms.latency=60"],
    [*WAF, "waf.rate=count"],
    ["waf.enabled=false", *WAF[1:], "waf.rate=off"],
    ["service.fargate_base=0", "service.spot_weight=1", "service.fargate_weight=0"],
    ["service.minimum=10", "service.maximum=10"],
]
REFUSED: list[list[str]] = [
    ["service.minimum=3", "service.maximum=2"],
    ["service.spot_weight=0", "service.fargate_weight=0"],
    ["database.min_acu=4", "database.max_acu=2"],
]


def sets(given: list[str]) -> list[str]:
    return [word for one in given for word in ("--set", one)]


def notes(user: User, given: list[str]) -> list[str]:
    """What a plan is to be read with."""
    (record,) = user.well("plan", *NAMED, *sets(given), "--json").lines
    return list(record["notes"])


@pytest.mark.parametrize(("given", "said"), NEVER, ids=lambda one: one[-1] if isinstance(one, list) else "")
def test_what_can_never_work_is_told_with_what_to_set(user: User, given: list[str], said: str) -> None:
    (told,) = notes(user, given)

    assert said in told


@pytest.mark.parametrize("given", WORKS, ids=lambda one: one[-1])
def test_what_can_work_is_taken_without_a_word(user: User, given: list[str]) -> None:
    assert notes(user, given) == []


@pytest.mark.parametrize("given", REFUSED, ids=lambda one: one[-1])
def test_what_aws_would_refuse_is_refused_before_a_call(user: User, given: list[str]) -> None:
    ran = user.run("plan", *NAMED, *sets(given))

    assert ran.code == 64, ran.err
    assert user.box.calls() == []


def test_the_longest_answer_is_the_balancer_s_idle_timeout() -> None:
    stack = build(Settings(profile="seed"), "a", "us-east-1", offline_lookups(3, "15"))
    attributes = stack.resources["alb-attributes"].props["Attributes"]

    assert attributes["idle_timeout.timeout_seconds"] == str(IDLE_TIMEOUT_SECONDS)


def test_doctor_names_the_setting_where_the_settings_hold_the_counts(user: User) -> None:
    user.well("apply", "--yes", *NAMED, "--set", "service.minimum=0")

    sick = user.run("doctor", *NAMED, "--all")

    assert sick.code == 1
    told = sick.out.partition("as its settings say")[2]
    assert "Set service.minimum=1 or more, then apply that." in told
    assert "Type: python cli.py apply" in told
    assert "scale --min" not in sick.out


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (("--min", "3", "--max", "2"), "--max 2 is lower than --min 3. Raise --max or lower --min."),
        (
            ("--max", "1"),
            "--max 1 is lower than the present minimum, 2. Raise --max, or give a lower --min too.",
        ),
        (
            ("--min", "99"),
            "--min 99 is higher than the present maximum, 10. Lower --min, or give a higher --max too.",
        ),
    ],
    ids=["both", "the upper alone", "the lower alone"],
)
def test_bounds_that_cross_are_told_as_they_were_said(user: User, bounds: tuple[str, ...], said: str) -> None:
    user.apply("a")

    ran = user.run("scale", *NAMED, "--yes", *bounds)

    assert ran.code == 64
    assert said in " ".join(ran.err.split())


def test_scale_and_doctor_name_scale_where_it_holds_the_counts(user: User) -> None:
    second = ("--service", "second")
    user.apply("a", "--set", 'api.services={"second":{"prefixes":["/api/v4/*"]}}')

    for more in ((), second):
        ran = user.process("scale", "--local", *NAMED, "--yes", "--min", "0", *more)
        sick = user.run("doctor", *NAMED)
        again = f"scale --min 1{' --service second' if more else ''}"
        for said in (ran.err, sick.out):
            assert "counts none where no task runs" in said
            assert again in said
            assert "minimum=" not in said, "the settings do not hold it"
        assert sick.code == 1
        before = user.mark()
        none = user.run("scale", *NAMED, "--yes", "--max", "0", *more)
        assert none.code == 64
        assert "Say --max 1 or more." in none.err
        assert "minimum=" not in none.err
        assert user.tries(before) == []
        user.well("scale", *NAMED, "--yes", "--min", "1", *more)
        user.well("doctor", *NAMED)


def test_a_schedule_of_somebody_s_own_wakes_a_service(user: User) -> None:
    scaling = LiveStack.of(user).aws("application-autoscaling")
    scaling.register_scalable_target(**SCALING, MinCapacity=0)
    sick = user.run("doctor", "--suffix", SUFFIX).out
    assert "may run 0 tasks, which is not what its settings say," in sick
    assert "Type: python cli.py apply" in sick
    scaling.put_scheduled_action(
        **SCALING,
        ScheduledActionName="by-day",
        Schedule="cron(0 8 ? * MON-FRI *)",
        ScalableTargetAction={"MinCapacity": 2},
    )

    assert "may run 0 tasks" not in user.run("doctor", "--suffix", SUFFIX).out
