"""What AWS measures, refuses and limits: no change of anybody's brings it about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.wafv2 import samples
from tests.support.breakages.deed import Act, Break
from tests.support.live_stack import ACCOUNT, LiveStack
from tests.support.manual_changes import DATABASE, TABLE

_ON_DEMAND = {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "Fargate", "Type": "Resource"}


def measure(space: str, where: Mapping[str, str], there: str = "", **values: float) -> Act:
    """Let AWS have measured something a minute ago, and in each of the periods before."""

    def put(live_stack: LiveStack) -> None:
        dimensions = [{"Name": name, "Value": value} for name, value in where.items()]
        data = [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Value": value,
                "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes),
            }
            for name, value in values.items()
            for minutes in (1, 6, 11)
        ]
        cloudwatch = live_stack.aws("cloudwatch", there)
        cloudwatch.put_metric_data(Namespace=space, MetricData=data)

    return put


def unmeasure(live_stack: LiveStack) -> None:
    """An hour later: nothing of the kind was measured since."""
    for place in (live_stack.region, "us-east-1"):
        backend("cloudwatch", ACCOUNT, place).metric_data.clear()
        samples.at(ACCOUNT, place).clear()


def _answer_badly(live_stack: LiveStack) -> None:
    where = {"LoadBalancer": live_stack.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]}
    measure("AWS/ApplicationELB", where, RequestCount=20, HTTPCode_Target_5XX_Count=7)(live_stack)


def _block(live_stack: LiveStack) -> None:
    """The common rule set blocks some of the requests."""
    waf = live_stack.aws("wafv2", "us-east-1")
    [listed] = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    acl = waf.get_web_acl(Name=listed["Name"], Scope="CLOUDFRONT", Id=listed["Id"])["WebACL"]
    own = acl["VisibilityConfig"]["MetricName"]
    rule = next(one["VisibilityConfig"]["MetricName"] for one in acl["Rules"] if one["Name"] == "common")
    measure("AWS/WAFV2", {"WebACL": own, "Rule": "ALL"}, "us-east-1", AllowedRequests=40)(live_stack)
    measure("AWS/WAFV2", {"WebACL": own, "Rule": rule}, "us-east-1", BlockedRequests=10)(live_stack)
    request = {"ClientIP": "192.0.2.1", "Country": "CH", "URI": "/api/v1?token=secret", "Method": "POST"}
    seen = {"Request": request, "Weight": 1, "Action": "BLOCK", "RuleNameWithinRuleGroup": "NoUserAgent"}
    samples.at(ACCOUNT, "us-east-1")[f"{acl['ARN']}/{rule}"] = [seen]


def _forbid(live_stack: LiveStack) -> None:
    """Somebody adds a rule of their own, and it blocks many."""
    waf = live_stack.aws("wafv2", "us-east-1")
    [listed] = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    there = {"Name": listed["Name"], "Scope": "CLOUDFRONT", "Id": listed["Id"]}
    acl = waf.get_web_acl(**there)["WebACL"]
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "theirs"}
    theirs = {
        "Name": "theirs",
        "Priority": 99,
        "Statement": {"GeoMatchStatement": {"CountryCodes": ["CH"]}},
        "Action": {"Block": {}},
        "VisibilityConfig": seen,
    }
    kept = ("DefaultAction", "VisibilityConfig", "AssociationConfig")
    waf.update_web_acl(
        **there,
        **{key: acl[key] for key in kept if key in acl},
        Rules=[*acl["Rules"], theirs],
        LockToken=listed["LockToken"],
    )
    own = acl["VisibilityConfig"]["MetricName"]
    measure("AWS/WAFV2", {"WebACL": own, "Rule": "theirs"}, "us-east-1", BlockedRequests=20)(live_stack)


def _measured(check: str, finding: str, act: Act, says: str, type_: str) -> Break:
    return Break(check, finding, act, says, type_, meanwhile=unmeasure, turn=2)


BREAKS = (
    _measured("firewall", "firewall-blocks", _block, "blocked 30 of 150 requests", "apply --set waf.common=count"),
    Break("firewall", "foreign-rule-blocks", _forbid, "60 by the rule theirs, which is not ours", turn=0),
    _measured("answers", "answers-fail", _answer_badly, "21 of 60 requests in the last hour", "logs --since 1h"),
    _measured(
        "quotas",
        "no-quota-left",
        measure("AWS/Usage", _ON_DEMAND, ResourceCount=60.0),
        "60 of 60 processors of FARGATE are used",
        "aws service-quotas request-service-quota-increase",
    ),
    _measured(
        "capacity",
        "no-capacity-left",
        measure("AWS/RDS", {"DBClusterIdentifier": DATABASE}, ACUUtilization=100.0),
        "at its largest capacity, 2 ACU",
        "apply --set database.max_acu=4",
    ),
    _measured(
        "throttles",
        "table-throttled",
        measure("AWS/DynamoDB", {"TableName": TABLE}, WriteThrottleEvents=3.0),
        "refused 0 reads and 9 writes",
        "aws dynamodb describe-table",
    ),
)
