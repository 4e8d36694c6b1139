"""`deploy`: another image for one service, followed until it serves.

The next revision is made from the one that runs, not from the settings: changes that wait for an `apply` go
on waiting. First the service is tagged as managed by `deploy`, then the revision is registered, then the
service is updated to it. After an interruption at any point, the same command finds what was done, and
`apply` leaves it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner.commands.asking import Asking
from provisioner.commands.following import Before, Follower, interruptible, tell_replaced
from provisioner.commands.one_service import OneService, one_service
from provisioner.commands.place import header
from provisioner.commands.pulling import pullable, pulling
from provisioner.commands.recording import both, recorded
from provisioner.commands.smoke import smoke
from provisioner.commands.undisturbed import undisturbed
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.events import Event, silent
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import UsageError, quoted
from provisioner.names import IMAGE_OWNER, SHIPPED_WITH
from provisioner.preflight.sizes import size_of
from provisioner.resources.ecs.revisions import Next, Running, is_same, number, revised
from provisioner.resources.ecs.rollouts import begin_anew
from provisioner.resources.ecs.shipped import DEPLOY, SIZE, VARIABLE
from provisioner.session import Session
from provisioner.settings import PLACEHOLDER, Workload
from provisioner.settings.container import FARGATE, LARGEST
from provisioner.settings.images import is_reference
from provisioner.settings.shipped import Shipped, with_shipped
from provisioner.settings.variables import OWN_VARIABLES
from provisioner.steps.endpoints import check_reachable
from provisioner.steps.placeholder import command
from provisioner.terminal.say import Say

# A tag may have been moved to another image; ECS keeps the digest that it found when the deployment began
# (ECS developer guide, container image resolution).
_ANEW = "`restart` begins new tasks of it, and resolves its tag anew."
# The longest value of a tag (botocore ecs Tag, value).
_LONGEST_TAG = 256


@dataclass(frozen=True)
class Wish:
    """The options of a deploy: the image, the service, and how the rollout goes."""

    asking: Asking
    image: str
    service: str = ""
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def deploy(say: Say, session: Session, wish: Wish) -> int:
    """Roll out an image: check it, register a revision, update the service, follow it; return the exit code.

    Raises:
        UsageError: The image, the task's size or a variable cannot be used.
        RolledBack: ECS gave the deployment up.

    """
    if not is_reference(wish.image):
        raise UsageError(
            f"{quoted(wish.image)} is no image: no registry has such a name.",
            "For example: --image public.ecr.aws/acme/model:1.4.2 (lower case, then a tag or a digest).",
        )
    header(say, session)
    with (
        session.locked("deploy", wish.lock_timeout),
        recorded(session, "deploy") as record,
        undisturbed(session),
    ):
        one = one_service(session, wish.service)
        with user_errors(f"looking at {one.aws_name}"):
            now = one.running()
            image = pullable(say, session, wish.image, must=True)
        props = revised(now, _next(session, one, now, wish, image))
        _check(now, props, wish)
        check_reachable(with_shipped(session.settings, {one.name: Shipped(image)}), session.place.region)
        listen_to(one, record)
        if is_same(props, now.revision) and now.is_settled:
            say.note(f"It runs that already: nothing was begun. {_ANEW}")
            settle(say, one, now, _marks(now, wish), is_asked=wish.smoke)
            answer(say, one, now.arn, image)
            return 0
        _show(say, one, now, image, wish)
        if not is_same(props, now.revision):
            tell_replaced(say, one, now)
        wish.asking.confirm(say, f"Deploy this to {session.suffix}?")
        doing = f"deploying to {one.aws_name}"
        with pulling(say, session, one, image, record), interruptible(say, one, doing):
            record.plan = {"add": 1, "change": 1}
            one.mark(now, _marks(now, wish))
            arn = one.register(props)
            ship(say, one, now, arn, fail_fast=wish.fail_fast)
            if wish.smoke:
                smoke(say, one)
        answer(say, one, arn, image)
    return 0


def settle(say: Say, one: OneService, now: Running, marks: Mapping[str, str], *, is_asked: bool) -> None:
    """Tag the service, record the revision that it runs already, and run the smoke test if asked to.

    An earlier run may have been interrupted before it did so.
    """
    with interruptible(say, one, f"looking at {one.aws_name}"):
        one.mark(now, marks)
        one.settle()
        if is_asked:
            smoke(say, one)


def answer(say: Say, one: OneService, arn: str, image: str) -> None:
    """Print what the service runs now."""
    runs = {"service": one.title, "revision": number(arn), "arn": arn, "image": image}
    say.answer(f"{one.title} runs {image} (revision {number(arn)}).", "release", **runs)


def listen_to(one: OneService, record: RunRecorder) -> None:
    """Make the record of the run hear the changes of the service, its task definition and its scaling."""
    for logical_id in (one.task, one.node, one.scaling):
        resource_state = one.session.document.resources.get(logical_id)
        if resource_state:
            record.add_resource(logical_id, resource_state.type_name, resource_state.region, resource_state.step, [])
    one.hands.listen = both(record.hear, silent)
    one.hands.retry_policy.listen = one.hands.waiter.listen = one.hands.listen


def ship(say: Say, one: OneService, now: Running, arn: str, *, fail_fast: bool = False) -> None:
    """Update the service to a revision, unless that is under way; follow the rollout, and record its end."""
    is_same = now.arn == arn
    under_way = is_same and not now.has_failed
    before = Before.of(one, now, arn, under_way=under_way, fail_fast=fail_fast)
    follower = Follower(say, one, before, fail_fast)
    one.hands.listen(Event("exists", one.task, "update", id=arn))
    with one.told("update"):
        if not is_same:
            one.roll(arn)
        elif now.has_failed:
            begin_anew(one.session.clients, one.cluster, one.aws_name, str(now.primary["id"]))
        follower.follow(arn)
        one.settle()


def _next(session: Session, one: OneService, now: Running, wish: Wish, image: str) -> Next:
    """Return what the next revision changes; the placeholder image's own command comes and goes with it."""
    said: tuple[str, ...] | None = () if now.image == PLACEHOLDER else None
    if image == PLACEHOLDER:
        said = tuple(command(_workload(session, one)))
    return Next(image, wish.cpu, wish.memory, wish.environment, said)


def _workload(session: Session, one: OneService) -> Workload:
    """Return the settings of a service; raise UsageError if they have none of its name."""
    found = (each for each in session.settings.workloads if each.name == one.name)
    if workload := next(found, None):
        return workload
    raise UsageError(f"The settings have no service {one.title}.", "`config show` tells what they have.")


def _check(now: Running, props: Mapping[str, str], wish: Wish) -> None:
    """Check the task's size and the variables.

    Raises:
        UsageError: Fargate has no such size, the definition is too long, or a variable is not free.

    """
    cpu, memory = int(props["cpu"]), int(props["memory"])
    if memory not in FARGATE.get(cpu, ()):
        fits = ", ".join(map(str, FARGATE.get(cpu, ()))) or "none: CPU units are " + ", ".join(map(str, FARGATE))
        raise UsageError(f"Fargate has no task of {cpu} CPU units with {memory} MiB.", f"It has: {fits}.")
    if (size := size_of(dict(props))) > LARGEST:
        raise UsageError(
            f"This task definition would have {size} bytes; ECS takes {LARGEST}.",
            "Keep long variables in a parameter or a secret: `container.secrets`.",
        )
    taken = {one["name"] for one in now.container.get("secrets", [])}
    if both_ways := sorted(taken & wish.environment.keys()):
        raise UsageError(f"{', '.join(both_ways)} is filled from a secret.", "Change the secret, or the setting.")
    if told := sorted(OWN_VARIABLES & wish.environment.keys()):
        raise UsageError(f"The stack tells {', '.join(told)} to every container.", "Choose another name.")


def _marks(now: Running, wish: Wish) -> dict[str, str]:
    """Return the tags that say what `deploy` manages from now on; earlier choices stay in them."""
    held = dict.fromkeys(now.tags.get(SHIPPED_WITH, "").split())
    held |= dict.fromkeys([SIZE] if wish.cpu or wish.memory else [])
    held |= dict.fromkeys(f"{VARIABLE}{name}" for name in sorted(wish.environment))
    told = " ".join(held)
    if len(told) > _LONGEST_TAG:
        raise UsageError("That are more variables than `deploy` can hold.", "Set them: container.environment.")
    return {IMAGE_OWNER: DEPLOY, **({SHIPPED_WITH: told} if told else {})}


def _show(say: Say, one: OneService, now: Running, image: str, wish: Wish) -> None:
    """Show what would change, before the confirmation."""
    if say.quiet and wish.asking.yes:
        return
    say.note(f"  ~ {one.title} ({one.aws_name}), revision {number(now.arn)}")
    rows = [("image", now.image, image), ("cpu", now.revision["cpu"], wish.cpu)]
    rows.append(("memory", now.revision["memory"], wish.memory))
    for name, old, new in rows:
        if new and str(new) != str(old):
            say.note(f"      {name}: {old} -> {new}")
    for name in sorted(wish.environment):
        say.note(f"      environment.{name}: (set)")
