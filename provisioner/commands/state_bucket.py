"""`state init`: the bucket for a team's state."""

from __future__ import annotations

from provisioner.bucket.address import Bucket
from provisioner.bucket.conditional_writes import check_conditional_writes
from provisioner.bucket.creation import Safeguard, create_bucket, set_safeguards
from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.emulator.local import start_emulator
from provisioner.engine.calls.caller import caller_location
from provisioner.errors import UsageError, amount
from provisioner.location import check_account
from provisioner.stopping import begin_change
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace


def init_bucket(
    console: Console, workspace: Workspace, region: str | None, account: str | None, confirmation: Confirmation
) -> int:
    """Create the bucket if there is none, check its conditional writes, and set its safeguards.

    The command may be repeated. Return the exit code.
    """
    if not workspace.is_shared:
        raise UsageError("A state in a folder needs no init.", "Say --state s3://bucket/prefix.")
    emulator = start_emulator(workspace.emulator_folder) if workspace.is_local else None
    bucket = Bucket.parse(workspace.state_address, emulator, region, workspace.state_endpoint)
    completion = CompletionLine(console, bucket, "State init")
    if bucket.endpoint:
        console.note(f"The store is {bucket.endpoint}, not Amazon's.", "dim")
    location = caller_location(bucket.aws)
    check_account(location, account)
    is_new = bucket.region is None
    region_name = bucket.region or bucket.aws.region
    action = "Make" if is_new else "Keep the state in"
    confirmation.confirm(
        console, f"{action} the bucket {bucket.name} in account {location.account}, region {region_name}?"
    )
    begin_change()
    if is_new:
        create_bucket(bucket, region_name)
        console.note(f"The bucket {bucket.name} is made, in {region_name}.")
    check_conditional_writes(bucket)
    console.note("  writes are conditional (proven)")
    measures, left_out, new = list[str](), list[str](), 0
    for safeguard in set_safeguards(bucket, region_name, location.account, location.partition):
        (left_out if safeguard.omission_reason else measures).append(safeguard.description)
        new += safeguard.is_new and not safeguard.omission_reason
        _print_safeguard(console, safeguard)
    if console.as_json:
        bucket_fields = {"bucket": bucket.name, "region": region_name, "made": is_new}
        console.record("state_init", **bucket_fields, measures=measures, left_out=left_out)
    else:
        console.text(f"The state can be kept in {bucket.address}.")
    completion.print(f"1 bucket {'added' if is_new else 'checked'}, {amount(new, 'safeguard')} set")
    return 0


def _print_safeguard(console: Console, safeguard: Safeguard) -> None:
    """Print one safeguard of the bucket: set now, set before, or left out and why."""
    if safeguard.omission_reason:
        console.note(f"  {safeguard.description} (left out: {safeguard.omission_reason})", "yellow")
    else:
        console.note(f"  {safeguard.description}" if safeguard.is_new else f"  {safeguard.description} (as it was)")
