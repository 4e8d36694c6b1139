"""The key between CloudFront and the load balancer: asked for, never written down, changed without a gap."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from tests.support.account_inventory import client
from tests.support.user import User

GUARDED = ("--set", "edge.guard=require")


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    user = User.before(served, tmp_path_factory.mktemp("key"))
    user.apply("a", *GUARDED)
    return user


def aws(user: User, service: str) -> Any:
    return client(user.box.endpoint, service)


def shown(user: User) -> str:
    """The key that CloudFront shows."""
    [edge] = aws(user, "cloudfront").list_distributions()["DistributionList"]["Items"]
    config = aws(user, "cloudfront").get_distribution_config(Id=edge["Id"])["DistributionConfig"]
    [header] = config["Origins"]["Items"][0]["CustomHeaders"]["Items"]
    assert header["HeaderName"] == "X-Origin-Key"
    return str(header["HeaderValue"])


def taken(user: User) -> list[list[str]]:
    """The keys that each rule takes."""
    elbv2 = aws(user, "elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    [last] = [rule for rule in rules if rule["IsDefault"]]
    assert last["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "403"
    return [
        one["HttpHeaderConfig"]["Values"]
        for rule in rules
        if rule is not last
        for one in rule["Conditions"]
        if one["Field"] == "http-header"
    ]


def test_every_rule_asks_for_the_key_that_cloudfront_shows(user: User) -> None:
    key = shown(user)

    assert re.fullmatch("[0-9a-f]{64}", key)
    assert taken(user) == [[key]] * 5


def test_only_cloudfronts_addresses_come_in(user: User) -> None:
    ec2 = aws(user, "ec2")
    asked = [{"Name": "group-name", "Values": ["ml-api-sg-alb-*"]}]
    [group] = ec2.describe_security_groups(Filters=asked)["SecurityGroups"]
    [way_in] = group["IpPermissions"]

    assert (way_in["FromPort"], way_in["ToPort"], way_in["IpRanges"]) == (80, 443, [])
    [listed] = way_in["PrefixListIds"]
    found = ec2.describe_managed_prefix_lists(PrefixListIds=[listed["PrefixListId"]])["PrefixLists"]
    assert found[0]["PrefixListName"] == "com.amazonaws.global.cloudfront.origin-facing"


def test_the_key_is_written_down_nowhere(user: User) -> None:
    key = shown(user)
    told = [
        user.well("status", "--json", "--suffix", "a"),
        user.well("drift", "--suffix", "a", "--json", *GUARDED),
    ]
    told.append(user.well("plan", "--suffix", "a", "--json"))

    assert key not in "".join(ran.out + ran.err for ran in told)
    for path in user.home.rglob("*"):
        assert not path.is_file() or key not in path.read_text(errors="replace")


def test_it_is_changed_without_a_gap(user: User) -> None:
    old, mark = shown(user), user.mark()

    user.well("rotate-origin-secret", "--yes", "--suffix", "a", *GUARDED)

    new = shown(user)
    assert new != old
    assert taken(user) == [[new]] * 5
    assert user.plan("a", *GUARDED) == "No changes.\n"
    both, edge, one = ["elbv2:ModifyRule"] * 5, "cloudfront:UpdateDistribution", ["elbv2:ModifyRule"] * 5
    promoted = ["secretsmanager:UpdateSecretVersionStage"] * 2
    assert user.acts(mark) == ["secretsmanager:PutSecretValue", *both, edge, *promoted, *one]


@pytest.mark.slow
def test_one_that_was_begun_goes_on(user: User) -> None:
    arn = user.known("a")["entries"]["origin-key"]["id"]
    staged = "5" * 64
    aws(user, "secretsmanager").put_secret_value(SecretId=arn, SecretString=staged, VersionStages=["AWSPENDING"])
    user.apply("a", *GUARDED)
    assert {len(keys) for keys in taken(user)} == {2}
    assert shown(user) == staged

    user.well("rotate-origin-secret", "--yes", "--suffix", "a", *GUARDED)

    assert shown(user) == staged
    assert taken(user) == [[staged]] * 5


def test_a_key_that_was_changed_by_hand_is_set_back_and_not_told(user: User) -> None:
    elbv2 = aws(user, "elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    rule = next(one for one in rules if one["Priority"] == "50000")
    other = {"HttpHeaderName": "X-Origin-Key", "Values": ["6" * 64]}
    elbv2.modify_rule(RuleArn=rule["RuleArn"], Conditions=[{"Field": "http-header", "HttpHeaderConfig": other}])

    planned = user.plan("a", *GUARDED)
    user.apply("a", *GUARDED)

    assert "rule-guarded" in planned
    assert "6" * 64 not in planned
    assert taken(user) == [[shown(user)]] * 5


@pytest.mark.parametrize(
    "how", [{"ForceDeleteWithoutRecovery": True}, {"RecoveryWindowInDays": 7}], ids=["at once", "in a week"]
)
def test_a_key_that_was_deleted_by_hand_is_made_anew_and_stops_nobody(user: User, how: dict[str, Any]) -> None:
    aws(user, "secretsmanager").delete_secret(SecretId="ml-api-originkey-a/header", **how)

    assert "guard/origin-key" in user.plan("a", *GUARDED)
    ending = user.run("plan", "--destroy", "--suffix", "a")
    user.apply("a", *GUARDED)

    assert ending.code == 0, ending.err
    assert taken(user) == [[shown(user)]] * 5
    assert "No changes." in user.plan("a", *GUARDED)
