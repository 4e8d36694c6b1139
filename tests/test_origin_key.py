"""The key between CloudFront and the load balancer: asked for, never written down, changed without a gap."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from tests.harness import Desk
from tests.inventory import client

GUARDED = ("--set", "edge.guard=require")


@pytest.fixture(scope="module")
def desk(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk.before(served, tmp_path_factory.mktemp("key"))
    desk.apply("a", *GUARDED)
    return desk


def aws(desk: Desk, service: str) -> Any:
    return client(desk.box.endpoint, service)


def shown(desk: Desk) -> str:
    """The key that CloudFront shows."""
    [edge] = aws(desk, "cloudfront").list_distributions()["DistributionList"]["Items"]
    config = aws(desk, "cloudfront").get_distribution_config(Id=edge["Id"])["DistributionConfig"]
    [header] = config["Origins"]["Items"][0]["CustomHeaders"]["Items"]
    assert header["HeaderName"] == "X-Origin-Key"
    return str(header["HeaderValue"])


def taken(desk: Desk) -> list[list[str]]:
    """The keys that each rule takes."""
    elbv2 = aws(desk, "elbv2")
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


def test_every_rule_asks_for_the_key_that_cloudfront_shows(desk: Desk) -> None:
    key = shown(desk)

    assert re.fullmatch("[0-9a-f]{64}", key)
    assert taken(desk) == [[key]] * 5


def test_only_cloudfronts_addresses_come_in(desk: Desk) -> None:
    ec2 = aws(desk, "ec2")
    asked = [{"Name": "group-name", "Values": ["ml-api-sg-alb-*"]}]
    [group] = ec2.describe_security_groups(Filters=asked)["SecurityGroups"]
    [way_in] = group["IpPermissions"]

    assert (way_in["FromPort"], way_in["ToPort"], way_in["IpRanges"]) == (80, 443, [])
    [listed] = way_in["PrefixListIds"]
    found = ec2.describe_managed_prefix_lists(PrefixListIds=[listed["PrefixListId"]])["PrefixLists"]
    assert found[0]["PrefixListName"] == "com.amazonaws.global.cloudfront.origin-facing"


def test_the_key_is_written_down_nowhere(desk: Desk) -> None:
    key = shown(desk)
    told = [
        desk.well("status", "--json", "--suffix", "a"),
        desk.well("drift", "--suffix", "a", "--json", *GUARDED),
    ]
    told.append(desk.well("plan", "--suffix", "a", "--json"))

    assert key not in "".join(ran.out + ran.err for ran in told)
    for path in desk.home.rglob("*"):
        assert not path.is_file() or key not in path.read_text(errors="replace")


def test_it_is_changed_without_a_gap(desk: Desk) -> None:
    old, mark = shown(desk), desk.mark()

    desk.well("rotate-origin-secret", "--yes", "--suffix", "a", *GUARDED)

    new = shown(desk)
    assert new != old
    assert taken(desk) == [[new]] * 5
    assert desk.plan("a", *GUARDED) == "No changes.\n"
    both, edge, one = ["elbv2:ModifyRule"] * 5, "cloudfront:UpdateDistribution", ["elbv2:ModifyRule"] * 5
    promoted = ["secretsmanager:UpdateSecretVersionStage"] * 2
    assert desk.acts(mark) == ["secretsmanager:PutSecretValue", *both, edge, *promoted, *one]


@pytest.mark.slow
def test_one_that_was_begun_goes_on(desk: Desk) -> None:
    arn = desk.known("a")["entries"]["origin-key"]["id"]
    staged = "5" * 64
    aws(desk, "secretsmanager").put_secret_value(SecretId=arn, SecretString=staged, VersionStages=["AWSPENDING"])
    desk.apply("a", *GUARDED)
    assert {len(keys) for keys in taken(desk)} == {2}
    assert shown(desk) == staged

    desk.well("rotate-origin-secret", "--yes", "--suffix", "a", *GUARDED)

    assert shown(desk) == staged
    assert taken(desk) == [[staged]] * 5


def test_a_key_that_was_changed_by_hand_is_set_back_and_not_told(desk: Desk) -> None:
    elbv2 = aws(desk, "elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    rule = next(one for one in rules if one["Priority"] == "50000")
    other = {"HttpHeaderName": "X-Origin-Key", "Values": ["6" * 64]}
    elbv2.modify_rule(RuleArn=rule["RuleArn"], Conditions=[{"Field": "http-header", "HttpHeaderConfig": other}])

    planned = desk.plan("a", *GUARDED)
    desk.apply("a", *GUARDED)

    assert "rule-guarded" in planned
    assert "6" * 64 not in planned
    assert taken(desk) == [[shown(desk)]] * 5


@pytest.mark.parametrize(
    "how", [{"ForceDeleteWithoutRecovery": True}, {"RecoveryWindowInDays": 7}], ids=["at once", "in a week"]
)
def test_a_key_that_was_deleted_by_hand_is_made_anew_and_stops_nobody(desk: Desk, how: dict[str, Any]) -> None:
    aws(desk, "secretsmanager").delete_secret(SecretId="ml-api-originkey-a/header", **how)

    assert "guard/origin-key" in desk.plan("a", *GUARDED)
    ending = desk.run("plan", "--destroy", "--suffix", "a")
    desk.apply("a", *GUARDED)

    assert ending.code == 0, ending.err
    assert taken(desk) == [[shown(desk)]] * 5
    assert "No changes." in desk.plan("a", *GUARDED)
