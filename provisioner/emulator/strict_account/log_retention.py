"""An organisation's log retention policy, which takes the place of the log groups' own settings."""

from __future__ import annotations

from provisioner.emulator.answers import Reply
from provisioner.emulator.hooks import strict
from provisioner.emulator.patches.log_policies import TYPE, RetentionPolicy, tell
from provisioner.emulator.wire import Call

# It exists before the stack does.
POLICY = RetentionPolicy("organisation-log-retention", 90)


@strict.after("logs", "DescribeLogGroups")
def tell_policy(call: Call, reply: Reply) -> None:
    """Show the organisation's retention on log groups, unless the account's own policy keeps logs longer."""
    tell(call, reply, [POLICY])


@strict.after("logs", "DescribeAccountPolicies")
def list_policy(call: Call, reply: Reply) -> None:
    """Add the organisation's policy to the account's own."""
    if call.params["policyType"] == TYPE and call.params.get("policyName") in (None, POLICY.name):
        reply["accountPolicies"].append(POLICY.told(call.account))
