"""A life on an account with an organisation, security tools and contracts: told before the first deletion."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.server import LocalAws
from provisioner.emulator.strict_account.shield_mitigation import put_rule
from provisioner.emulator.wire import Call
from provisioner.engine.execution import resource_calls
from tests.resources.test_guard_duty import guards, of_guards
from tests.support.account_inventory import client
from tests.support.printed_commands import carry_out, printed
from tests.support.user import User


@pytest.fixture
def strict(user: User) -> User:
    """A user before an empty strict account."""
    user.box.behave(behaviours=True, speed=0.0, account="strict")
    return user


def protected_groups(box: LocalAws) -> set[str]:
    """The log groups that AWS would not delete."""
    listed = client(box.endpoint, "logs").describe_log_groups()["logGroups"]
    return {one["logGroupName"] for one in listed if one["deletionProtectionEnabled"]}


def test_protected_log_groups_are_told_before_the_first_deletion_and_unprotect_covers_them(
    user: User,
) -> None:
    """The organisation turned it on after the stack was made."""
    user.apply("a")
    logs = client(user.box.endpoint, "logs")
    made_by_rds = "/aws/rds/cluster/ml-api-aurora-a/upgrade"
    groups = [made_by_rds, *(one["logGroupName"] for one in logs.describe_log_groups()["logGroups"])]
    logs.create_log_group(logGroupName=made_by_rds)
    for name in groups:
        logs.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=True)
    assert user.plan("a") == "No changes.\n"
    before = user.mark()

    for command in (["teardown", "--yes"], ["plan", "--destroy"]):
        ran = user.run(*command, "--suffix", "a")
        assert ran.code == 5, ran.err
        assert "protected against deletion" in ran.err
        assert f"the log group {made_by_rds}" in ran.err, ran.err
        assert "--unprotect" in ran.err
    assert user.tries(before) == []

    user.teardown("a", "--unprotect")
    left = {one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]}
    assert left & set(groups) == set()


def test_groups_of_a_strict_account_are_born_protected_and_its_plans_are_silent(strict: User) -> None:
    strict.apply("a")

    assert protected_groups(strict.box)
    assert strict.plan("a") == "No changes.\n"


def test_a_pricing_plan_is_told_before_the_first_deletion_and_the_rest_goes(strict: User) -> None:
    strict.apply("a")
    before = strict.mark()
    planned = strict.run("plan", "--destroy", "--suffix", "a")
    assert "Blocked by resources outside this stack:" in planned.out
    assert "aws pricing-plan-manager cancel-subscription --arn" in planned.out
    assert strict.tries(before) == []

    ran = strict.run("teardown", "--yes", "--unprotect", "--suffix", "a")

    assert ran.code == 9, ran.err
    told, _, rest = ran.err.partition("teardown is incomplete")
    assert "flat-rate pricing plan" in told
    assert "edge: Distribution ml-api-edge-a is held by a flat-rate pricing plan" in rest
    assert "aws pricing-plan-manager cancel-subscription --arn" in rest
    assert "Once that has ended, run the same command again: it deletes what is left." in rest
    assert "Nothing is lost" not in rest
    deletes = [one for one in strict.tries(before) if one == "cloudfront:DeleteDistribution"]
    assert len(deletes) == 1
    assert client(strict.box.endpoint, "rds").describe_db_clusters()["DBClusters"] == []

    plans = client(strict.box.endpoint, "pricing-plan-manager")
    (plan,) = plans.list_subscriptions()["subscriptionSummaries"]
    plans.cancel_subscription(arn=plan["arn"], ifMatch=plan["eTag"])
    again = strict.run("teardown", "--yes", "--suffix", "a")
    assert again.code == 9, again.err
    assert "its cancellation is scheduled: run the same command again from 2" in again.err

    assert "makes its endpoint and group again" in again.err
    for command in of_guards(printed(ran.err)):
        carry_out(strict.box, command)
    assert guards(strict) == []
    name = acl(strict.box).split("/")[-2]
    strict.box.advance(31 * 86_400)
    ended = strict.well("teardown", "--yes", "--suffix", "a").err
    assert f"Kept: the web ACL {name}, which CloudFront made for this distribution" in ended
    assert f"aws wafv2 delete-web-acl --name {name} --scope CLOUDFRONT --id " in ended
    assert not client(strict.box.endpoint, "cloudfront").list_distributions()["DistributionList"].get("Items")


def test_a_pricing_plan_ends_a_teardown_the_same_when_its_holder_was_asked_for_before(
    strict: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow machine the question who holds it was due, and the plan was told as a stranger: exit 4."""
    strict.apply("a")
    monkeypatch.setattr(resource_calls, "FIRST_BLOCKER_READ", 0.0)
    strict.box.faults({"fault": "throttle", "operation": "cloudfront:DeleteDistribution"})

    ran = strict.run("teardown", "--yes", "--unprotect", "--suffix", "a")

    assert ran.code == 9, ran.err
    assert "aws pricing-plan-manager cancel-subscription --arn" in ran.err.partition("is incomplete")[2]
    (edge,) = client(strict.box.endpoint, "cloudfront").list_distributions()["DistributionList"]["Items"]
    assert not edge["Enabled"]


def acl(box: LocalAws) -> str:
    """The web ACL before the distribution, as CloudFront tells it."""
    (edge,) = client(box.endpoint, "cloudfront").list_distributions()["DistributionList"]["Items"]
    return str(edge["WebACLId"])


def test_the_web_acl_of_a_pricing_plan_is_left_where_cloudfront_put_it(strict: User) -> None:
    strict.apply("a")
    theirs = acl(strict.box)
    assert "/webacl/CreatedByCloudFront-" in theirs

    told = strict.well("plan", "--suffix", "a")
    assert "Managed by CloudFront or Firewall Manager, which put it there: cloudfront/edge WebACLId" in told.err
    strict.apply("a", "--set", "edge.price_class=PriceClass_200")

    assert acl(strict.box) == theirs
    (edge,) = client(strict.box.endpoint, "cloudfront").list_distributions()["DistributionList"]["Items"]
    assert edge["PriceClass"] == "PriceClass_200"


def test_what_takes_the_web_acl_off_under_a_pricing_plan_is_refused_in_the_plan(strict: User) -> None:
    strict.apply("a", "--set", "waf.enabled=true")
    ours, before = acl(strict.box), strict.mark()
    sentence = "CloudFront neither takes the web ACL off such a distribution nor puts another in its place"
    command = "`aws pricing-plan-manager cancel-subscription --arn "

    planned = strict.run("plan", "--suffix", "a")
    refused = strict.run("apply", "--yes", "--suffix", "a")

    for told in (planned.out + planned.err, refused.err):
        assert sentence in told
        assert command in told
    assert refused.code == 5
    assert strict.tries(before) == []

    ran = strict.run("apply", "--yes", "--skip-preflight", "--suffix", "a")

    assert ran.code == 4, ran.err
    assert (
        f"edge: Distribution ml-api-edge-a: it is under a flat-rate pricing plan (CloudFront PRO): {sentence}"
        in ran.err
    )
    assert command in ran.err
    assert acl(strict.box) == ours
    strict.apply("a", "--set", "waf.enabled=true")


def test_where_the_plans_may_not_be_asked_for_that_is_said_and_the_rest_goes(strict: User) -> None:
    strict.apply("a")
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "pricingplanmanager:*", "Resource": "*"}
    strict.box.authorise({"Version": "2012-10-17", "Statement": [allow, deny]})

    ran = strict.run("teardown", "--yes", "--unprotect", "--suffix", "a")

    assert ran.code == 9, ran.err
    strict.box.emulator.authorise([])
    assert "AWS denied ListSubscriptions" in ran.err.partition("teardown is incomplete")[0]
    assert client(strict.box.endpoint, "rds").describe_db_clusters()["DBClusters"] == []


def test_a_clean_stack_is_held_by_nothing(user: User) -> None:
    user.apply("a", "--set", "profile=production")

    ran = user.run("plan", "--destroy", "--suffix", "a", "--set", "profile=production")

    assert "Blocked by resources outside this stack" not in ran.out


def test_what_a_guard_of_the_organisation_put_into_our_network_is_told_with_the_command(user: User) -> None:
    """Its name: hashicorp/terraform-provider-aws#46747; nobody but Runtime Monitoring takes it away."""
    user.apply("a")
    ec2 = client(user.box.endpoint, "ec2")
    (vpc,) = [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]]
    name = f"GuardDutyManagedSecurityGroup-{vpc}"
    group = ec2.create_security_group(GroupName=name, Description="theirs", VpcId=vpc)["GroupId"]

    ran = user.run("plan", "--destroy", "--suffix", "a")

    assert name in ran.out
    assert f"aws ec2 delete-security-group --group-id {group}" in ran.out


def test_how_long_an_organisation_keeps_logs_is_told_by_every_plan_and_changes_nothing(strict: User) -> None:
    strict.apply("a")

    ran = strict.well("plan", "--suffix", "a")

    assert ran.out == "No changes.\n"
    policy = "the account's log retention policy organisation-log-retention"
    assert f"Managed by {policy}: logs/" in ran.err
    assert "retentionInDays is 90; the settings say 30" in ran.err
    drift = strict.run("drift", "--suffix", "a", "--detailed-exitcode")
    assert drift.code == 0, drift.out
    assert f"(left to {policy})" in drift.out
    (told,) = client(strict.box.endpoint, "logs").describe_account_policies(policyType="RETENTION_POLICY")[
        "accountPolicies"
    ]
    assert told["policyName"] == "organisation-log-retention"


def shields(box: LocalAws) -> list[dict[str, Any]]:
    """The rules of the one web ACL that Shield Advanced has put into it."""
    return [one for one in rules(box) if one["Name"].startswith("ShieldMitigationRuleGroup_")]


def rules(box: LocalAws) -> list[dict[str, Any]]:
    """The rules of the one web ACL."""
    wafv2 = client(box.endpoint, "wafv2")
    (acl,) = wafv2.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    told = wafv2.get_web_acl(Name=acl["Name"], Scope="CLOUDFRONT", Id=acl["Id"])
    return list(told["WebACL"]["Rules"])


def renewing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have Shield put another rule in place of its first, between our look at the list and our change."""
    renewed: list[str] = []

    def once(call: Call) -> None:
        if not renewed:
            (acl,) = backend("wafv2", call.account, "aws").wacls.values()
            put_rule(acl)
            renewed.append(acl.rules[-1].name)

    monkeypatch.setitem(always.befores, ("wafv2", "UpdateWebACL"), [once])
    return renewed


def test_the_rule_that_shield_has_in_our_web_acl_outlives_a_change_of_ours(
    strict: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hashicorp/terraform-provider-aws#22869, #31670: without it the mitigation is off."""
    wanted = ("--set", "waf.enabled=true", "--set", "logs.requests=true")
    strict.apply("a", *wanted)
    (first,) = shields(strict.box)
    renewed = renewing(monkeypatch)

    strict.apply("a", *wanted, "--set", "waf.rate_limit=4321")

    (rule,) = shields(strict.box)
    assert [rule["Name"]] == renewed != [first["Name"]]
    (rate,) = [one for one in rules(strict.box) if one["Name"] == "rate"]
    assert rate["Statement"]["RateBasedStatement"]["Limit"] == 4321
    ran = strict.well("drift", "--suffix", "a", *wanted, "--set", "waf.rate_limit=4321")
    assert "(left to Shield Advanced)" in ran.out
    assert "(left to CloudWatch Logs)" in ran.out
    assert rule["Name"] in ran.out
    assert "No drift." in ran.out


def ended(user: User, *settings: str) -> None:
    """Take a stack down as the printed commands say, and wait for the end of its pricing plan."""
    ran = user.run("teardown", "--yes", "--unprotect", "--suffix", "a", *settings)
    assert ran.code == 9, ran.err
    commands = printed(ran.err)
    for command in [*of_guards(commands), *(one for one in commands if one.startswith("pricing-plan"))]:
        carry_out(user.box, command)
    user.box.advance(31 * 86_400)
    user.teardown("a", "--unprotect", *settings)
    assert user.run("verify-gone", "--suffix", "a").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_a_stack_lives_and_ends_on_a_strict_account(strict: User, profile: str) -> None:
    settings = ("--set", f"profile={profile}")
    strict.apply("a", *settings)
    strict.apply("a", *settings, "--set", "edge.price_class=PriceClass_200", "--set", "service.maximum=7")

    ended(strict, *settings)
