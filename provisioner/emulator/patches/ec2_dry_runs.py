"""EC2 dry runs: nothing is changed, and the answer is the error DryRunOperation."""

from __future__ import annotations

from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call


@always.before("ec2", "*")
def dry_run(call: Call) -> None:
    """Answer a dry run before moto does, which would create the resource.

    Source: AWS doc, EC2 API common parameters.
    """
    if call.params.get("DryRun") is True:
        message = "Request would have succeeded, but DryRun flag is set."
        raise AwsError("DryRunOperation", message, 412)
