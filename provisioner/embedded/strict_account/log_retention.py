"""An organisation that decides how long all accounts keep logs: its days count, not those of a group."""

from __future__ import annotations

from provisioner.embedded.answers import Reply
from provisioner.embedded.corrections.log_policies import TYPE, RetentionPolicy, tell
from provisioner.embedded.hooks import strict
from provisioner.embedded.wire import Call

# It stood there long before the stack.
POLICY = RetentionPolicy("organisation-log-retention", 90)


@strict.after("logs", "DescribeLogGroups")
def tell_policy(call: Call, reply: Reply) -> None:
    """Tell the organisation's days, unless the account's own keep longer."""
    tell(call, reply, [POLICY])


@strict.after("logs", "DescribeAccountPolicies")
def list_policy(call: Call, reply: Reply) -> None:
    """List it with the account's own."""
    if call.params["policyType"] == TYPE and call.params.get("policyName") in (None, POLICY.name):
        reply["accountPolicies"].append(POLICY.told(call.account))
