"""Checks before a rollout that an image can be pulled, and gives the tasks' role the right to pull it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from provisioner.commands.plan_execution import execute_plan
from provisioner.commands.run_recording import record_plan
from provisioner.commands.service_controller import ServiceController
from provisioner.engine.planning.selection import Selection, select
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import Blocked, RolledBack, Superseded, UsageError, quoted
from provisioner.preflight.image_pulls import check_image
from provisioner.preflight.pull_rules import filled_repositories
from provisioner.session import Session
from provisioner.settings.images import EcrImage, is_reference
from provisioner.settings.overrides import ServiceOverrides, with_overrides
from provisioner.steps.endpoints import check_images_reachable
from provisioner.terminal.console import Console
from provisioner.terminal.plan import shown_changes
from state.errors import ProvisionerError

# The policy that names the private repositories from which tasks may pull.
_PULL_POLICY = "execution-role-start"
# The permission by which a pull fetches an image that is not in ECR yet.
_IMPORT_ACTION = "ecr:BatchImportUpstreamImage"


def check_image_name(image: str) -> None:
    """Raise UsageError if no registry has such a name."""
    if not is_reference(image):
        raise UsageError(
            f"{quoted(image)} is no image: no registry has such a name.",
            "For example: --image public.ecr.aws/acme/model:1.4.2 (lower case, then a tag or a digest).",
        )


def check_reachable(session: Session, service: str, image: str) -> None:
    """Raise UsageError if the network of the settings leads no task of a service to this image."""
    settings = with_overrides(session.settings, {service: ServiceOverrides(image)})
    check_images_reachable(settings, session.location.region)


def check_pull_permission(session: Session, image: str) -> None:
    """Raise Blocked if the tasks' role lacks the right to pull an image of a private repository."""
    ecr_image = EcrImage.of(image)
    if ecr_image and not _is_pull_allowed(session, image, ecr_image):
        raise Blocked(
            f"The tasks' role may not pull from the repository {ecr_image.repository}: it may pull what its services "
            "run. Nothing was changed.",
            "Push the image to the repository of a service, or `deploy` one from there first.",
        )


def resolve_image(console: Console, session: Session, image: str, *, is_required: bool = False) -> str:
    """Return the image as a task definition is to name it: by its digest, if ECR tells it.

    Raises:
        UsageError: ECR has no such image.
        Blocked: ECR has archived the image.
        ProvisionerError: This account's ECR `is_required` answer, and does not.

    """
    has_nat = session.settings.network.nat != "none"
    check = check_image(session.clients, image, session.location.account, must_answer=is_required, has_internet=has_nat)
    if check is None:
        return image
    if check.blocks:
        raise check.error()
    if check.problem:
        console.note(f"{check.problem}.")
    return check.pinned


def require_pullable(console: Console, session: Session, images: Iterable[str]) -> None:
    """Check that a task that starts now can pull these images.

    Raises:
        Blocked: It cannot pull one of them, so that it would never run.

    """
    has_nat = session.settings.network.nat != "none"
    for image in dict.fromkeys(images):
        check = check_image(session.clients, image, session.location.account, has_internet=has_nat)
        if check and check.blocks:
            raise Blocked(f"{check.problem}. Nothing was changed.", check.hint)
        if check and check.problem:
            console.note(f"{check.problem}.")


@contextmanager
def with_pull_permission(
    console: Console, session: Session, service: ServiceController, image: str, record: RunRecorder
) -> Iterator[None]:
    """Let the tasks pull an image; if the rollout in the block fails, let them pull what runs then."""
    has_changed = grant_pull(console, session, service, image, record)
    try:
        yield
    except (RolledBack, Superseded):
        if has_changed:
            try:
                _apply_pull_policy(console, session, service, service.running().image, record)
            except ProvisionerError as error:  # the deployment's own error is raised
                session.warn(error.message, "`apply` gives the tasks' role the right to pull what runs.")
        raise


def grant_pull(console: Console, session: Session, service: ServiceController, image: str, record: RunRecorder) -> bool:
    """Give the tasks' role the right to pull the image, if it lacks it; return whether that was a change."""
    ecr_image = EcrImage.of(image)
    if ecr_image is None or _is_pull_allowed(session, image, ecr_image):
        return False
    return _apply_pull_policy(console, session, service, image, record)


def _is_pull_allowed(session: Session, image: str, ecr_image: EcrImage) -> bool:
    """Return whether the recorded policy allows to pull the image, and to fetch it if an ECR rule does so."""
    resource_state = session.state.resources.get(_PULL_POLICY)
    policy_text = str(resource_state.recorded) if resource_state else ""
    is_filled = bool(filled_repositories(session.clients, [image], session.location.account))
    repository = f"{ecr_image.region}:{ecr_image.account}:repository/{ecr_image.repository}'"
    return repository in policy_text and (not is_filled or _IMPORT_ACTION in policy_text)


def _apply_pull_policy(
    console: Console, session: Session, service: ServiceController, image: str, record: RunRecorder
) -> bool:
    """Apply the policy by which tasks may pull this image; return whether that was a change."""
    plan = select(session.plan(shipping={service.name: image}), Selection((_PULL_POLICY,), ()))
    if changes := bool(shown_changes(plan)):
        ecr_image = EcrImage.of(image)
        source = ecr_image.repository if ecr_image else "no private repository of before"
        console.note(f"The tasks' role gets the right to pull from {source}.")
        record_plan(record, plan)
        execute_plan(console, session, plan, record)
    return changes
