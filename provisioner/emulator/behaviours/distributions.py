"""CloudFront distributions: every change takes minutes to deploy, and reads may be stale just after it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.local import consistency_window
from provisioner.emulator.moto_bridge import ask_moto
from provisioner.emulator.patches.cloudfront_distributions import distributions, got
from provisioner.emulator.wire import Call

DEPLOY = 170.0  # seconds; go-to-k/cdkd docs/benchmarks.md, the median of 7

# By the distribution's id: the ETag of the change that is being deployed.
deploying_etags: AccountStore[str] = AccountStore()


@dataclass
class StaleReply:
    """The reply of a stale read, for how many reads it is shown, and until when."""

    reply: Reply
    reads: int
    until: float


_before: AccountStore[StaleReply] = AccountStore()


@behaviours.after("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
def start_deployment(call: Call, reply: Reply) -> None:
    """Start the deployment of a new or changed distribution."""
    name, etag = reply["Distribution"]["Id"], reply["ETag"]
    deploying_etags.at(call.account, "")[name] = etag
    clock.later(DEPLOY, partial(_end_deployment, call.account, name, etag))


def _end_deployment(account: str, name: str, etag: str) -> None:
    """End the deployment, unless a newer change is being deployed."""
    deploying = deploying_etags.at(account, "")
    if deploying.get(name) == etag:
        del deploying[name]


@behaviours.after("cloudfront", "GetDistribution")
def set_status(call: Call, reply: Reply) -> None:
    """Put the status of the deployment into the reply; right after an update, the whole reply may be stale.

    go-to-k/cdkd cloudfront-distribution-provider.ts: a Get after the disable may still show
    Enabled and Deployed.
    """
    name = reply["Distribution"]["Id"]
    if name in deploying_etags.at(call.account, ""):
        reply["Distribution"]["Status"] = "InProgress"
    stale = _before.at(call.account, "").get(name)
    if stale is not None and stale.reads > 0 and clock.now() < stale.until:
        stale.reads -= 1
        reply.clear()
        reply.update(copy.deepcopy(stale.reply))


@behaviours.before("cloudfront", "UpdateDistribution")
def remember_former(call: Call) -> None:
    """Keep the distribution as it is before an update, for stale reads."""
    name = call.params["Id"]
    if name not in distributions(call):
        return
    old = ask_moto(call, "cloudfront", "GetDistribution", Id=name)
    got(call, old)
    if name in deploying_etags.at(call.account, ""):
        old["Distribution"]["Status"] = "InProgress"
    _before.at(call.account, "")[name] = StaleReply(
        old, lag.random_misses(), clock.now() + consistency_window(clock.speed)
    )


@behaviours.after("cloudfront", "ListDistributions")
def set_statuses(call: Call, reply: Reply) -> None:
    """Put the status of the deployment of each distribution into the reply."""
    for summary in reply["DistributionList"].get("Items", []):
        if summary["Id"] in deploying_etags.at(call.account, ""):
            summary["Status"] = "InProgress"


@behaviours.before("cloudfront", "DeleteDistribution")
def delete(call: Call) -> None:
    """Refuse to delete a distribution that is not disabled, or still deploying: DistributionNotDisabled.

    Source: botocore ServiceModel.
    """
    distribution = distributions(call).get(call.params["Id"])
    if distribution is None or call.params.get("IfMatch") != distribution.etag:
        return
    if distribution.distribution_config.Enabled or distribution.id in deploying_etags.at(call.account, ""):
        message = "The distribution you are trying to delete has not been disabled."
        raise AwsError("DistributionNotDisabled", message, 409)
