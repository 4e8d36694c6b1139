"""`rotate-origin-secret`: a new key between CloudFront and the load balancer, without a failed request.

The stages of the secret's versions say how far the rotation is. With a pending version, the load balancer
accepts both keys and CloudFront sends the pending one. Once that is so everywhere, the pending version
becomes the current one, and the load balancer drops the old key. After an interruption at any point, the same
command goes on from there.
"""

from __future__ import annotations

from typing import Any

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.plan_context import print_header
from provisioner.commands.plan_execution import execute_plan
from provisioner.commands.run_recording import record_plan, record_run, without_other_runs
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.plan import Plan
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import Blocked, UsageError
from provisioner.resources.origin_key import CURRENT, PENDING, generate_key
from provisioner.service_clients import SecretsManager
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.plan import shown_changes

_SECRET_ID, _STEPS = "origin-key", ("alb", "cloudfront")


def rotate_secret(console: Console, session: Session, confirmation: Confirmation, lock_timeout: float) -> int:
    """Stage a new key, bring both sides to it, promote it, and let the load balancer drop the old one.

    Raises:
        UsageError: The stack has no such key.
        Blocked: The stack differs from its settings in other resources too.

    """
    completion = CompletionLine(console, session, "Rotation")
    print_header(console, session)
    with (
        session.locked("rotate-origin-secret", lock_timeout),
        record_run(session, "rotate") as record,
        without_other_runs(session),
    ):
        arn = _secret_arn(session)
        secrets = session.clients.client(SecretsManager)
        if not _versions_by_stage(secrets, arn).get(PENDING):
            _check_only_key_changes(session, session.plan())
            confirmation.confirm(console, f"Change the key of {session.suffix}?")
            with user_errors("staging a new key"):
                secrets.put_secret_value(SecretId=arn, SecretString=generate_key(), VersionStages=[PENDING])
        console.note("The load balancer accepts the new key beside the old one, then CloudFront sends it.")
        _apply_key_versions(console, session, record)
        _promote_pending_version(secrets, arn)
        console.note("The load balancer no longer accepts the old key.")
        _apply_key_versions(console, session, record)
    console.data_or_record(f"The key of {session.suffix} was changed.", "rotation", suffix=session.suffix)
    completion.print("1 key changed")
    return 0


def _secret_arn(session: Session) -> str:
    """Return the ARN of the secret with the key; raise UsageError if the stack has none."""
    resource_state = session.state.resources.get(_SECRET_ID)
    if resource_state is None or not resource_state.id:
        raise UsageError(
            f"The stack {session.suffix} has no key between CloudFront and its load balancer.",
            "The setting `edge.guard` makes one.",
        )
    return resource_state.id


def _apply_key_versions(console: Console, session: Session, record: RunRecorder) -> None:
    """Bring the load balancer and CloudFront in line with the secret's versions; wait until that is done."""
    plan = session.plan()
    _check_only_key_changes(session, plan)
    if shown_changes(plan):
        record_plan(record, plan)
        execute_plan(console, session, plan, record)


def _check_only_key_changes(session: Session, plan: Plan) -> None:
    """Raise Blocked if the plan is refused, or changes more than the load balancer and CloudFront."""
    other_changes = [change for change in shown_changes(plan) if change.step not in _STEPS]
    if unwanted := [change.logical_id for change in [*plan.refused, *other_changes]]:
        raise Blocked(
            "The stack is not as it is declared by the settings given here "
            f"({', '.join(dict.fromkeys(unwanted))} differ).",
            "Give the `--config` and every `--set` of its last `apply` again. With them "
            f"`{session.options.workspace.command('plan', session.suffix)}` shows what is left to apply.",
        )


def _versions_by_stage(secrets: Any, arn: str) -> dict[str, str]:
    """Return the version id at each stage of the secret."""
    with user_errors("looking at the key's versions"):
        stages_by_version = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return {stage: version for version, stages in stages_by_version.items() for stage in stages}


def _promote_pending_version(secrets: Any, arn: str) -> None:
    """Make the pending version the current one in two calls; skip the first if it was made before."""
    versions = _versions_by_stage(secrets, arn)
    pending, current = versions[PENDING], versions[CURRENT]
    with user_errors("promoting the new key"):
        if pending != current:
            secrets.update_secret_version_stage(
                SecretId=arn, VersionStage=CURRENT, MoveToVersionId=pending, RemoveFromVersionId=current
            )
        secrets.update_secret_version_stage(SecretId=arn, VersionStage=PENDING, RemoveFromVersionId=pending)
