"""Judgements on what is refused: by the firewall, by throttles, by limits of the account's."""

from __future__ import annotations

from provisioner.doctor.asked.limits import QUOTAS, Firewall, Quota
from provisioner.doctor.finding import Doc, Finding

Measures = dict[str, list[float]]
# Fewer than these are somebody trying doors; a tenth of all requests is more than strangers.
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


def lets_through(firewall: Firewall) -> Finding | None:
    """Whether the firewall blocks more than strangers."""
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


def _sample(one: Doc) -> str:
    """A request without its query, headers and address: they may be secret, or somebody's."""
    request = one["Request"]
    path = str(request["URI"]).partition("?")[0]
    by = one.get("RuleNameWithinRuleGroup", "")
    return f"{request['Method']} {path} from {request.get('Country', '-')}{f', by {by}' if by else ''}"


def leave_room(quotas: list[Quota]) -> Finding | None:
    """Whether one task more has room under Fargate's limits."""
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
            return Finding(
                "no-quota-left", what, "No more tasks start: neither by a rollout nor by scaling.", ask
            )
    return None


def answer(measures: Measures) -> Finding | None:
    """Whether few of the balancer's answers are errors."""
    requests, refused, failed = (sum(measures[word]) for word in ("requests", "refused", "failed"))
    bad = refused + failed
    if bad < _FEW or bad < _SHARE * requests:
        return None
    what = (
        f"{bad:.0f} of {max(requests, bad):.0f} requests in the last hour were answered with 5xx: "
        f"{failed:.0f} by the tasks, {refused:.0f} by the load balancer."
    )
    return Finding("answers-fail", what, "Users see these errors.", "logs --since 1h")


def has_capacity(measures: Measures, cluster: Doc) -> Finding | None:
    """Whether the database has not been at its largest capacity for a while."""
    latest = measures["capacity"][:_PERIODS]
    if len(latest) < _PERIODS or min(latest) < _FULL:
        return None
    most = float(cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"])
    more = min(2 * most, _MOST_ACU)
    what = f"The database has been at its largest capacity, {most:g} ACU, for a quarter of an hour."
    return Finding(
        "no-capacity-left", what, "Queries wait for one another.", f"apply --set database.max_acu={more:g}"
    )


def are_not_throttled(measures: Measures, table: Doc) -> Finding | None:
    """Whether the session table refused nothing."""
    reads, writes = sum(measures["reads"]), sum(measures["writes"])
    if not reads + writes:
        return None
    name = table["TableName"]
    what = f"The table {name} refused {reads:.0f} reads and {writes:.0f} writes in the last hour."
    show = f"aws dynamodb describe-table --table-name {name} --query Table.OnDemandThroughput"
    return Finding(
        "table-throttled", what, "Sessions are lost or slow: one key may be too hot, or a limit is set.", show
    )
