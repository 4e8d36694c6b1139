"""Checks of refused requests: by the firewall, by errors, by throttling, and by quotas of the account."""

from __future__ import annotations

from provisioner.doctor.check import Finding, JsonObject
from provisioner.doctor.reads.limits import QUOTA_CODES, Firewall, Quota

Metrics = dict[str, list[float]]
# Fewer refused requests than this in an hour are somebody who probes the stack. If they are a tenth of all
# requests, users are affected, too.
_MIN_REFUSED, _MIN_REFUSED_SHARE = 10, 0.1
# The database is full if it used this much of its capacity in each of the last periods.
_FULL_PERCENT, _PERIODS = 99.0, 3
_MAX_ACU = 256  # Aurora user guide, Aurora Serverless v2 capacity
_RULE_SETTINGS = {
    "ml-api-common": "waf.common",
    "ml-api-bad-inputs": "waf.bad_inputs",
    "ml-api-reputation": "waf.reputation",
    "ml-api-rate": "waf.rate",
}


def firewall_admits_viewers(firewall: Firewall) -> Finding | None:
    """Check that the firewall blocks few requests: a few are normal, but many may be requests of users."""
    blocked = sum(firewall.blocked.values())
    if blocked < _MIN_REFUSED or blocked < _MIN_REFUSED_SHARE * (blocked + firewall.allowed):
        return None
    top_rule = max(firewall.blocked, key=lambda rule: firewall.blocked[rule])
    problem = (
        f"The firewall {firewall.name} blocked {blocked:.0f} of {blocked + firewall.allowed:.0f} requests in "
        f"the last hour, {firewall.blocked[top_rule]:.0f} by the rule {top_rule}."
    )
    evidence = "\n".join(map(_describe_sample, firewall.samples))
    if top_rule not in _RULE_SETTINGS:
        problem = f"{problem[:-1]}, which is not ours."
        consequence = "It is not known why somebody added it; `apply` removes it."
        return Finding("foreign-rule-blocks", problem, consequence, "apply", evidence)
    consequence = "Where these are your users' requests, let the rule count instead of block, and look at its log."
    return Finding("firewall-blocks", problem, consequence, f"apply --set {_RULE_SETTINGS[top_rule]}=count", evidence)


def _describe_sample(sample: JsonObject) -> str:
    """Return a blocked request in words, without its query, headers and address: these may be secret."""
    request = sample["Request"]
    path = str(request["URI"]).partition("?")[0]
    rule = sample.get("RuleNameWithinRuleGroup", "")
    return f"{request['Method']} {path} from {request.get('Country', '-')}{f', by {rule}' if rule else ''}"


def quotas_leave_room(quotas: list[Quota]) -> Finding | None:
    """Check that Fargate's quotas leave room for one more task."""
    for quota in quotas:
        if quota.used + quota.per_task > quota.limit:
            problem = (
                f"{quota.used:g} of {quota.limit:g} processors of {quota.provider} are used in this account and "
                f"region; a task needs {quota.per_task:g}."
            )
            command = (
                "aws service-quotas request-service-quota-increase --service-code fargate "
                f"--quota-code {QUOTA_CODES[quota.provider]} --desired-value {2 * quota.limit:g}"
            )
            consequence = "No more tasks start: neither by a rollout nor by scaling."
            return Finding("no-quota-left", problem, consequence, command)
    return None


def responses_succeed(metrics: Metrics) -> Finding | None:
    """Check that few of the load balancer's responses are errors."""
    requests, refused, failed = (sum(metrics[word]) for word in ("requests", "refused", "failed"))
    errors = refused + failed
    if errors < _MIN_REFUSED or errors < _MIN_REFUSED_SHARE * requests:
        return None
    problem = (
        f"{errors:.0f} of {max(requests, errors):.0f} requests in the last hour were answered with 5xx: "
        f"{failed:.0f} by the tasks, {refused:.0f} by the load balancer."
    )
    return Finding("answers-fail", problem, "Users see these errors.", "logs --since 1h")


def database_has_capacity(metrics: Metrics, cluster: JsonObject) -> Finding | None:
    """Check that the database was not at its maximum capacity in each of the last three periods."""
    latest = metrics["capacity"][:_PERIODS]
    if len(latest) < _PERIODS or min(latest) < _FULL_PERCENT:
        return None
    maximum = float(cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"])
    doubled = min(2 * maximum, _MAX_ACU)
    problem = f"The database has been at its largest capacity, {maximum:g} ACU, for a quarter of an hour."
    command = f"apply --set database.max_acu={doubled:g}"
    return Finding("no-capacity-left", problem, "Queries wait for one another.", command)


def table_is_not_throttled(metrics: Metrics, table: JsonObject) -> Finding | None:
    """Check that the session table throttled no request."""
    reads, writes = sum(metrics["reads"]), sum(metrics["writes"])
    if not reads + writes:
        return None
    name = table["TableName"]
    problem = f"The table {name} refused {reads:.0f} reads and {writes:.0f} writes in the last hour."
    command = f"aws dynamodb describe-table --table-name {name} --query Table.OnDemandThroughput"
    consequence = "Sessions are lost or slow: one key may be too hot, or a limit is set."
    return Finding("table-throttled", problem, consequence, command)
