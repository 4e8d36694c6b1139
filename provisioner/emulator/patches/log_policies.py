"""CloudWatch Logs: retention policies of an account, which override the retention of a log group.

Source: botocore 1.44.5, PutAccountPolicy, "Retention policy", and LogGroup, retentionPolicyName. Moto has
none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call

TYPE = "RETENTION_POLICY"
FOR_EVER = "NEVER_EXPIRE"
# An account's policy retains logs for 30 days at least.
DAYS = (30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_TAKES = 86_400.0  # seconds until a policy takes effect
_MODES = ("NEW_ONLY", "RETROACTIVE")
_PREFIX = re.compile(r'"([^"]+)"')


@dataclass
class RetentionPolicy:
    """A retention policy of an account.

    `days` is None if logs never expire; `since` is when the policy takes effect, in epoch seconds.
    """

    name: str
    days: int | None
    since: float = 0.0
    # When it was stored; if `new_only`, it does not cover log groups that are older.
    created_at: float = 0.0
    new_only: bool = False
    criteria: str = ""
    # The policy that counts until a change takes effect, if it was changed.
    before: list[RetentionPolicy] = field(default_factory=list)

    @property
    def length(self) -> float:
        """The retention in days, infinite if logs never expire."""
        return float("inf") if self.days is None else self.days

    def applies(self, group: str, group_created_at: float) -> bool:
        """Return whether the policy now covers a log group that was created at `group_created_at`, in epoch seconds."""
        prefixes = _PREFIX.findall(self.criteria)
        covers = not prefixes or group.startswith(tuple(prefixes))
        return covers and self.since <= clock.now() and not (self.new_only and group_created_at < self.created_at)

    def in_effect(self) -> RetentionPolicy:
        """Return the policy that counts now: the previous one until a change takes effect."""
        return self.before[0] if self.before and self.since > clock.now() else self

    def describe(self, account: str) -> dict[str, Any]:
        """Return the policy as DescribeAccountPolicies describes it."""
        document = {
            "retentionInDays": FOR_EVER if self.days is None else self.days,
            "enforcementMode": _MODES[not self.new_only],
        }
        identity = {"policyName": self.name, "policyType": TYPE, "policyDocument": json.dumps(document)}
        selection = {"selectionCriteria": self.criteria} if self.criteria else {}
        return {
            **identity,
            **selection,
            "scope": "ALL",
            "accountId": account,
            "lastUpdatedTime": int(self.created_at * 1000),
        }


_policies: AccountStore[RetentionPolicy] = AccountStore()


def set_retention(call: Call, reply: Reply, others: Iterable[RetentionPolicy] = ()) -> None:
    """Set on each log group the retention policy that decides: the longest that covers the group.

    The policies are the account's and `others`; among equally long ones, `others` come first.
    """
    policies = [*others, *(each.in_effect() for each in _policies.of(call).values())]
    for group in reply["logGroups"]:
        created_at = group["creationTime"] / 1000
        applicable = [each for each in policies if each.applies(group["logGroupName"], created_at)]
        if not applicable:
            continue
        policy = max(applicable, key=lambda each: each.length)
        group["retentionPolicyName"] = policy.name
        group.pop("retentionInDays", None)
        if policy.days is not None:
            group["retentionInDays"] = policy.days


@always.after("logs", "DescribeLogGroups", when=lambda call: bool(_policies.of(call)))
def tell_policies(call: Call, reply: Reply) -> None:
    """Set the retention of log groups by the account's policies."""
    set_retention(call, reply)


@always.before("logs", "PutAccountPolicy")
def put_policy(call: Call) -> Reply | None:
    """Store a retention policy, which takes effect a day later; leave other policy types to moto."""
    params = call.params
    if params["policyType"] != TYPE:
        return None
    days, mode = _read(params["policyDocument"])
    policies = _policies.of(call)
    former = policies.get(params["policyName"])
    policy = policies[params["policyName"]] = RetentionPolicy(
        name=params["policyName"],
        days=days,
        since=clock.now() + clock.scaled(_TAKES),
        created_at=clock.now(),
        new_only=mode == _MODES[0],
        criteria=params.get("selectionCriteria", ""),
        before=[former.in_effect()] if former else [],
    )
    return {"accountPolicy": policy.describe(call.account)}


def _read(document: str) -> tuple[int | None, str]:
    """Return the days (None for ever) and the enforcement mode of a policy document, or refuse it."""
    try:
        content = json.loads(document)
        days, mode = content["retentionInDays"], content["enforcementMode"]
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("InvalidParameterException", "The policy document is not valid.") from error
    if (days != FOR_EVER and days not in DAYS) or mode not in _MODES:
        raise AwsError("InvalidParameterException", "The policy document is not valid.")
    return (None if days == FOR_EVER else days), mode


@always.before("logs", "DescribeAccountPolicies")
def describe_policies(call: Call) -> Reply | None:
    """List the account's retention policies."""
    if call.params["policyType"] != TYPE:
        return None
    listed = _policies.of(call).values()
    requested_name = call.params.get("policyName")
    return {
        "accountPolicies": [policy.describe(call.account) for policy in listed if requested_name in (None, policy.name)]
    }


@always.before("logs", "DeleteAccountPolicy")
def delete_policy(call: Call) -> Reply | None:
    """Delete a retention policy, so that each log group's own retention counts again."""
    if call.params["policyType"] != TYPE:
        return None
    if _policies.of(call).pop(call.params["policyName"], None) is None:
        raise AwsError("ResourceNotFoundException", "The specified account policy does not exist.")
    return {}
