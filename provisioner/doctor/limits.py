"""Checks of refused requests: by the firewall, by errors, by throttling, and by quotas of the account."""

from __future__ import annotations

from provisioner.doctor.finding import Finding, JsonObject
from provisioner.doctor.reads.limits import QUOTAS, Firewall, Quota

Measures = dict[str, list[float]]
# Fewer refused requests than this in an hour are somebody who probes the stack. If they are a tenth of all
# requests, users are affected, too.
_FEW, _SHARE = 10, 0.1
_FULL = 99.0  # percent, in each of the last three periods
_PERIODS = 3
_MOST_ACU = 256  # Aurora user guide, Aurora Serverless v2 capacity
_RULES = {
    "ml-api-common": "waf.common",
    "ml-api-bad-inputs": "waf.bad_inputs",
    "ml-api-reputation": "waf.reputation",
    "ml-api-rate": "waf.rate",
}


def firewall_admits_viewers(firewall: Firewall) -> Finding | None:
    """Check that the firewall blocks few requests: a few are normal, but many may be requests of users."""
    blocked = sum(firewall.blocked.values())
    if blocked < _FEW or blocked < _SHARE * (blocked + firewall.allowed):
        return None
    worst = max(firewall.blocked, key=lambda rule: firewall.blocked[rule])
    what = (
        f"The firewall {firewall.name} blocked {blocked:.0f} of {blocked + firewall.allowed:.0f} requests in "
        f"the last hour, {firewall.blocked[worst]:.0f} by the rule {worst}."
    )
    evidence = "\n".join(map(_sample, firewall.samples))
    if worst not in _RULES:
        return Finding(
            "foreign-rule-blocks",
            f"{what[:-1]}, which is not ours.",
            "What its maker wanted with it is not known here; `apply` takes it out.",
            "apply",
            evidence,
        )
    why = "Where these are your users' requests, let the rule count instead of block, and look at its log."
    return Finding("firewall-blocks", what, why, f"apply --set {_RULES[worst]}=count", evidence)


def _sample(one: JsonObject) -> str:
    """Return a blocked request in words, without its query, headers and address: these may be secret."""
    request = one["Request"]
    path = str(request["URI"]).partition("?")[0]
    by = one.get("RuleNameWithinRuleGroup", "")
    return f"{request['Method']} {path} from {request.get('Country', '-')}{f', by {by}' if by else ''}"


def quotas_leave_room(quotas: list[Quota]) -> Finding | None:
    """Check that Fargate's quotas leave room for one more task."""
    for one in quotas:
        if one.used + one.task > one.limit:
            what = (
                f"{one.used:g} of {one.limit:g} processors of {one.provider} are used in this account and "
                f"region; a task needs {one.task:g}."
            )
            ask = (
                "aws service-quotas request-service-quota-increase --service-code fargate "
                f"--quota-code {QUOTAS[one.provider]} --desired-value {2 * one.limit:g}"
            )
            return Finding("no-quota-left", what, "No more tasks start: neither by a rollout nor by scaling.", ask)
    return None


def responses_succeed(measures: Measures) -> Finding | None:
    """Check that few of the load balancer's responses are errors."""
    requests, refused, failed = (sum(measures[word]) for word in ("requests", "refused", "failed"))
    bad = refused + failed
    if bad < _FEW or bad < _SHARE * requests:
        return None
    what = (
        f"{bad:.0f} of {max(requests, bad):.0f} requests in the last hour were answered with 5xx: "
        f"{failed:.0f} by the tasks, {refused:.0f} by the load balancer."
    )
    return Finding("answers-fail", what, "Users see these errors.", "logs --since 1h")


def database_has_capacity(measures: Measures, cluster: JsonObject) -> Finding | None:
    """Check that the database was not at its maximum capacity in each of the last three periods."""
    latest = measures["capacity"][:_PERIODS]
    if len(latest) < _PERIODS or min(latest) < _FULL:
        return None
    most = float(cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"])
    more = min(2 * most, _MOST_ACU)
    what = f"The database has been at its largest capacity, {most:g} ACU, for a quarter of an hour."
    return Finding("no-capacity-left", what, "Queries wait for one another.", f"apply --set database.max_acu={more:g}")


def table_is_not_throttled(measures: Measures, table: JsonObject) -> Finding | None:
    """Check that the session table throttled no request."""
    reads, writes = sum(measures["reads"]), sum(measures["writes"])
    if not reads + writes:
        return None
    name = table["TableName"]
    what = f"The table {name} refused {reads:.0f} reads and {writes:.0f} writes in the last hour."
    show = f"aws dynamodb describe-table --table-name {name} --query Table.OnDemandThroughput"
    return Finding(
        "table-throttled", what, "Sessions are lost or slow: one key may be too hot, or a limit is set.", show
    )
