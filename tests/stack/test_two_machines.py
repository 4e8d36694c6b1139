"""Two machines that share no state, before one AWS: never two of anything, and both get out again."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from provisioner import teardown_run
from provisioner.commands import plan_execution as applying
from provisioner.commands.confirmation import Confirmation
from provisioner.emulator.server import LocalAws
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.run_marker.mark import RunIdentity
from provisioner.engine.run_marker.marker import MARK_SECONDS, RENEWAL_SECONDS, RunMarker
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.exclusive_run import apply_exclusively
from provisioner.names import RUN_TAG
from provisioner.session import Session
from state.errors import LockHeld
from tests.engine.test_waiter import Hurried
from tests.support.account_inventory import client, inventory
from tests.support.fake_resources import SUFFIX, Thing
from tests.support.manual_changes import settle
from tests.support.user import CommandResult, User

ROLE = "ml-api-execution-role-a"
APPLY = ("apply", "--local", "--yes", "--suffix", "a")


def counts(user: User) -> dict[str, int]:
    """How many there are of each kind, once AWS hides nothing of what was just made."""
    settle(lambda: inventory(user.box.endpoint))
    return {type_name: len(held) for type_name, held in inventory(user.box.endpoint).items() if held}


def mark(user: User) -> str:
    """What the marker bears."""
    tags = client(user.box.endpoint, "iam").get_role(RoleName=ROLE)["Role"]["Tags"]
    return next((one["Value"] for one in tags if one["Key"] == "ml-api:run"), "")


def write(user: User, value: str) -> None:
    """Let the marker bear what another machine would write."""
    client(user.box.endpoint, "iam").tag_role(RoleName=ROLE, Tags=[{"Key": "ml-api:run", "Value": value}])


def at(seconds_ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


@pytest.fixture(scope="module")
def whole(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many of each kind a whole stack has."""
    user = User.before(served, tmp_path_factory.mktemp("whole"))
    user.apply("a")
    return counts(user)


def both(user: User, other: User, offset: float) -> list[CommandResult]:
    """How two first applies end, the second begun so many seconds after the first."""
    with user.spawn(*APPLY) as first:
        time.sleep(offset)
        with other.spawn(*APPLY) as second:
            told = [process.communicate(timeout=120) for process in (first, second)]
    return [CommandResult(p.returncode, *said) for p, said in zip((first, second), told, strict=True)]


OFFSETS = [
    0.0,
    *(pytest.param(seconds, marks=pytest.mark.slow) for seconds in (0.3, 0.6, 1.0, 1.5, 2.5, 4.0, 6.0, 9.0)),
]


@pytest.mark.parametrize("offset", OFFSETS)
def test_two_first_applies_at_once_make_nothing_twice(
    whole: dict[str, int], user: User, tmp_path: Path, offset: float
) -> None:
    other = user.elsewhere(tmp_path / "other")

    ran = both(user, other, offset)

    assert counts(user) == whole, [one.err for one in ran]
    codes = [one.code for one in ran]
    assert 0 in codes, [one.err for one in ran]
    assert set(codes) <= {0, 7}, [one.err for one in ran]
    for one in ran:
        if one.code == 7:
            assert "arn:aws:" in one.err
            assert "since 20" in one.err
            assert "--take-over" in one.err
    winner = (user, other)[codes.index(0)]
    assert winner.plan("a") == "No changes.\n"
    winner.teardown("a")


def test_behind_an_endpoint_of_ones_own_machines_see_each_other_too(user: User, tmp_path: Path) -> None:
    told = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "MLAPI_PROFILE": "seed"}
    told["AWS_ENDPOINT_URL"] = user.box.endpoint
    apply = ("apply", "--yes", "--suffix", "a", "--target", "iam", "--region", "us-east-1")
    other = user.elsewhere(tmp_path / "other")
    assert user.process(*apply, **told).code == 0
    assert mark(user) == ""
    write(user, f"{at(5)} theirs {at(60)} laptop arn:aws:iam::123456789012:user/ann")
    before = counts(user)

    ran = other.process("apply", "--yes", "--suffix", "a", "--region", "us-east-1", **told)

    assert ran.code == 7, ran.err
    assert "user/ann" in ran.err
    assert counts(user) == before


@pytest.mark.slow
@pytest.mark.parametrize("calls", [0, 1, 2, 5, 20, 60])
def test_one_that_pauses_anywhere_in_its_first_apply_makes_nothing_twice(
    whole: dict[str, int], user: User, tmp_path: Path, calls: int
) -> None:
    """The second begins and ends while the first stands still after so many calls that change something."""
    other = user.elsewhere(tmp_path / "other")
    with user.spawn(*APPLY) as first:
        while len(user.tries()) < calls and first.poll() is None:
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)
        second = other.process(*APPLY)
        first.send_signal(signal.SIGCONT)
        _, err = first.communicate(timeout=120)

    assert counts(user) == whole, (err, second.err)
    # One that stood still before it looked finds the whole stack when it does, and makes nothing.
    ended = [0, 7] if calls else [0, 0]
    assert sorted((first.returncode, second.code)) == ended, (err, second.err)
    winner = user if first.returncode == 0 else other
    assert winner.plan("a") == "No changes.\n"


@pytest.mark.slow
def test_one_that_slept_until_it_counts_as_dead_stops_when_it_wakes(
    whole: dict[str, int], user: User, tmp_path: Path
) -> None:
    other = user.elsewhere(tmp_path / "other")
    with user.spawn(*APPLY) as first:
        while len(user.tries()) < 20 and first.poll() is None:
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)
        assert other.process(*APPLY).code == 7
        time.sleep(11)
        taken = other.process(*APPLY)
        first.send_signal(signal.SIGCONT)
        _, err = first.communicate(timeout=120)

    assert (taken.code, first.returncode) == (0, 7), taken.err + "=====\n" + err
    assert counts(user) == whole
    assert other.plan("a") == "No changes.\n"


PART = ("--target", "vpc/vpc")


def sleeps_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run sleep, as soon as it has made the marker, until its mark counts as dead."""
    really = RunMarker.begin

    def begin(self: RunMarker) -> None:
        really(self)
        self._renewed_at = (self._renewed_at[0] - MARK_SECONDS, self._renewed_at[1] - MARK_SECONDS)

    monkeypatch.setattr(RunMarker, "begin", begin)


def test_a_run_whose_renewals_are_slow_goes_on_while_there_is_no_other(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a loaded machine a renewal may take longer than a mark lasts: it is made again."""
    sleeps_at_once(monkeypatch)
    really, slow = RunMarker.write_mark, [MARK_SECONDS, MARK_SECONDS]

    def write_slowly(self: RunMarker) -> None:
        really(self)
        took = slow.pop() if slow else 0.0
        self._renewed_at = (self._renewed_at[0] - took, self._renewed_at[1] - took)

    monkeypatch.setattr(RunMarker, "write_mark", write_slowly)

    user.well("apply", "--yes", "--suffix", "a", *PART)

    assert slow == []
    assert (mark(user), counts(user)["vpc"]) == ("", 2)


def test_a_run_whose_renewals_are_always_too_slow_ends_and_says_so(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps_at_once(monkeypatch)
    really = RunMarker.rewrite_mark

    def write_slowly(self: RunMarker) -> None:
        really(self)
        self._renewed_at = (self._renewed_at[0] - MARK_SECONDS, self._renewed_at[1] - MARK_SECONDS)

    monkeypatch.setattr(RunMarker, "is_late", lambda _self: True)
    monkeypatch.setattr(RunMarker, "rewrite_mark", write_slowly)

    ran = user.run("apply", "--yes", "--suffix", "a", *PART)

    assert ran.code == 7, ran.err
    assert "each time it took longer than a mark lasts" in ran.err


def test_a_run_that_wakes_while_another_takes_it_over_calls_nothing_more(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen the dead mark, and the other writes last."""
    sleeps_at_once(monkeypatch)
    really = RunMarker.write_mark

    def write_first(self: RunMarker) -> None:
        really(self)
        write(user, another(0))

    monkeypatch.setattr(RunMarker, "write_mark", write_first)

    ran = user.run("apply", "--yes", "--suffix", "a", *PART)

    assert ran.code == 7, ran.err
    assert "taken over by arn:aws:iam::123456789012:user/jo on laptop" in ran.err
    assert "ec2:CreateVpc" not in user.tries()


@pytest.fixture
def begun(user: User) -> User:
    """A stack of which a part stands; whoever asks for the whole makes what AWS would make twice."""
    user.well("apply", "--yes", "--suffix", "a", *PART)
    return user


WIDER = ("--set", "network.nat=per_zone")


def test_a_run_that_knows_the_whole_stack_is_seen_by_a_machine_that_knows_nothing(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands it would find by its tags, but not the two gateways that are about to be made."""
    user.well("apply", "--yes", "--suffix", "a")
    other, told = user.elsewhere(tmp_path / "other"), dict[str, CommandResult]()
    really = ResourceExecutor.create

    def create(self: ResourceExecutor, managed: ManagedResource) -> JsonObject:
        if managed.spec.logical_id == "eip-2":
            told["plan"] = other.process("plan", "--local", "--suffix", "a", *WIDER)
            told["apply"] = other.process(*APPLY, *WIDER)
        return really(self, managed)

    monkeypatch.setattr(ResourceExecutor, "create", create)
    user.well("apply", "--yes", "--suffix", "a", *WIDER)

    assert "Another run is at work" in told["plan"].out + told["plan"].err
    assert told["apply"].code == 7, told["apply"].err
    assert "arn:aws:" in told["apply"].err
    assert (counts(user)["nat gateway"], counts(user)["address"]) == (3, 3)
    assert mark(user) == ""
    assert user.plan("a", *WIDER) == "No changes.\n"
    # Now it is alone: it adopts all, and makes nothing.
    assert other.process(*APPLY, *WIDER).code == 0
    assert counts(user)["nat gateway"] == 3


def test_a_run_that_makes_nothing_twice_puts_no_mark(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a")
    before = user.mark()

    user.well("apply", "--yes", "--suffix", "a", "--set", "service.maximum=20")

    assert user.acts(before) == ["application-autoscaling:RegisterScalableTarget"]


def test_a_run_that_ended_leaves_no_mark(begun: User) -> None:
    assert mark(begun) == ""
    assert begun.known("a")["entries"]["vpc"]["needs"][-1] == "execution-role"


def another(seconds_ago: float) -> str:
    """The mark of a run on another machine, heard of so long ago."""
    return f"{at(seconds_ago)} {uuid.uuid4()} {at(900)} laptop arn:aws:iam::123456789012:user/jo"


def begins_after(user: User, monkeypatch: pytest.MonkeyPatch, whose: type, method: str) -> None:
    """Let a run on another machine begin whenever this one has come to the end of a method."""
    really = getattr(whose, method)

    def then(self: Any, *told: Any) -> Any:
        came = really(self, *told)
        write(user, another(0))
        return came

    monkeypatch.setattr(whose, method, then)


@pytest.mark.parametrize("command", ["apply", "teardown"])
def test_another_run_is_named_and_nothing_is_made_beside_it(begun: User, command: str) -> None:
    write(begun, another(2))
    before = begun.mark()

    ran = begun.run(command, "--yes", "--suffix", "a")

    assert ran.code == 7, ran.err
    for word in ("arn:aws:iam::123456789012:user/jo on laptop", at(900)[:-4], "--take-over"):
        assert word in ran.err
    assert begun.tries(before) == []


def test_a_plan_names_another_run_and_sees_no_drift_in_its_mark(begun: User) -> None:
    write(begun, another(2))

    assert "user/jo on laptop" in begun.plan("a")
    assert begun.plan("a", *PART).endswith("No changes.\n")
    assert begun.run("drift", "--suffix", "a").code == 0


@pytest.mark.parametrize(("age", "flags"), [(400, ()), (1, ("--take-over",))])
def test_a_run_that_is_dead_is_gone_on_with(begun: User, age: float, flags: tuple[str, ...]) -> None:
    write(begun, another(age))

    begun.well("apply", "--yes", "--suffix", "a", *flags)

    assert mark(begun) == ""
    assert begun.plan("a") == "No changes.\n"


def test_one_that_is_alive_after_all_is_not_taken_over(begun: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It renews its mark between the look of the one that takes over and its first call."""
    write(begun, another(2))
    really = RunMarker.acquire

    def take(self: RunMarker, planned: JsonObject | None) -> None:
        write(begun, another(0))
        really(self, planned)

    monkeypatch.setattr(RunMarker, "acquire", take)
    before = begun.mark()

    ran = begun.run("apply", "--yes", "--suffix", "a", "--take-over")

    assert (ran.code, begun.acts(before)) == (7, ["iam:TagRole"])  # the other one's own


def test_of_two_that_take_a_dead_one_over_the_last_goes_on(begun: User, monkeypatch: pytest.MonkeyPatch) -> None:
    write(begun, another(400))
    really = RunMarker.wait_until_visible

    def settle(self: RunMarker) -> None:
        write(begun, another(0))
        really(self)

    monkeypatch.setattr(RunMarker, "wait_until_visible", settle)
    before = begun.mark()

    ran = begun.run("apply", "--yes", "--suffix", "a")

    assert (ran.code, begun.acts(before)) == (7, ["iam:TagRole"] * 2)


def test_a_first_apply_that_was_killed_goes_on_at_once(user: User) -> None:
    user.box.faults({"operation": "ec2:CreateVpc", "fault": "reset", "times": 99})
    with user.spawn(*APPLY) as process:
        while not user.tries():
            time.sleep(0.01)
        process.kill()
    user.box.faults()
    assert mark(user)

    user.apply("a")

    assert mark(user) == ""


def test_a_lost_reply_of_the_marker_is_this_runs_own(user: User) -> None:
    user.box.faults({"operation": "iam:CreateRole", "fault": "lost_reply"})

    user.well("apply", "--yes", "--suffix", "a", *PART)

    assert mark(user) == ""


@pytest.mark.parametrize("fault", ["500_before", "500_after", "lost_reply", "throttle", "reset"])
def test_a_mark_that_is_put_on_what_stands_is_put_again_after_a_passing_fault(begun: User, fault: str) -> None:
    begun.box.faults({"operation": "iam:TagRole", "fault": fault})

    begun.well("teardown", "--yes", "--suffix", "a")


def test_what_was_made_while_a_person_was_asked_is_not_made_again(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run began and ended between this one's plan and its first call."""
    other = user.elsewhere(tmp_path / "other")
    really = apply_exclusively

    def bring_up(session: Session, plan: Plan) -> Outcome:
        assert other.process(*APPLY, *PART).code == 0
        return really(session, plan)

    monkeypatch.setattr(applying, "apply_exclusively", bring_up)

    ran = user.run("apply", "--yes", "--suffix", "a", *PART)

    assert ran.code == 7, ran.err
    assert "run the same command again" in ran.err


def test_a_run_that_began_while_a_person_was_asked_is_not_torn_down(
    begun: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins_after(begun, monkeypatch, Confirmation, "confirm")
    before = begun.mark()

    ran = begun.run("teardown", "--yes", "--suffix", "a")

    assert (ran.code, begun.acts(before)) == (7, ["iam:TagRole"]), ran.err  # the other one's own
    assert "user/jo on laptop" in ran.err


@pytest.mark.parametrize("has_ended", [False, True], ids=["at work", "ended"])
@pytest.mark.parametrize(
    ("module", "name"),
    [(teardown_run, "_delete_leftovers"), (teardown_run, "search_for_remains")],
    ids=["_delete_leftovers", "search_for_remains"],
)
def test_what_another_run_makes_anew_is_no_leftover_of_a_teardown(
    begun: User, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, has_ended: bool
) -> None:
    """It begins when all is gone, and before any of the looks of the teardown at what is left."""
    iam = client(begun.box.endpoint, "iam")
    role = iam.get_role(RoleName=ROLE)["Role"]
    tags = [*role["Tags"], *([] if has_ended else [{"Key": "ml-api:run", "Value": another(0)}])]
    document = json.dumps(role["AssumeRolePolicyDocument"])
    made = list[str]()
    really = getattr(module, name)

    def look(*told: Any) -> Any:
        if not made:
            made.append(iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document, Tags=tags)["Role"]["RoleId"])
        return really(*told)

    monkeypatch.setattr(module, name, look)

    ran = begun.run("teardown", "--yes", "--suffix", "a")

    assert ran.code == 7, ran.err
    assert ("by a run that has ended" if has_ended else "user/jo on laptop, since 20") in ran.err
    assert "nothing of it was touched" in ran.err
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == made[0]


def test_verify_gone_names_the_run_whose_stack_it_finds(begun: User, tmp_path: Path) -> None:
    write(begun, another(0))
    other = begun.elsewhere(tmp_path / "other")

    ran = other.run("verify-gone", "--suffix", "a")

    assert refused(ran)
    write(begun, another(400))  # dead: what it has left is a remnant
    assert other.run("verify-gone", "--suffix", "a").code == 11


def refused(ran: CommandResult) -> bool:
    """Whether it ended because of another machine's run: whose, since when, and what to do."""
    assert ran.code == 7, ran.err
    return all(word in ran.err for word in ("arn:aws:", "since 20", "--take-over"))


def test_a_teardown_stops_before_the_apply_of_another_machine(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, told = user.elsewhere(tmp_path / "other"), dict[str, CommandResult]()
    really = ResourceExecutor.create

    def create(self: ResourceExecutor, managed: ManagedResource) -> JsonObject:
        if managed.spec.logical_id == "vpc":
            told["teardown"] = other.process("teardown", "--local", "--yes", "--suffix", "a")
        return really(self, managed)

    monkeypatch.setattr(ResourceExecutor, "create", create)
    user.well("apply", "--yes", "--suffix", "a", *PART)

    assert refused(told["teardown"])
    assert "teardown --suffix a --local --take-over" in told["teardown"].err
    assert not [one for one in user.acts() if ":Delete" in one]


def test_an_apply_and_a_teardown_stop_before_the_teardown_of_another_machine(
    begun: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The execution role, which bears the mark, goes last."""
    other, told = begun.elsewhere(tmp_path / "other"), dict[str, CommandResult]()
    really = ResourceExecutor.delete

    def delete(self: ResourceExecutor, managed: ManagedResource, *more: Any, **named: Any) -> str:
        if managed.spec.logical_id == "vpc":
            before = begun.mark()
            told["apply"] = other.process(*APPLY)
            told["teardown"] = other.process("teardown", "--local", "--yes", "--suffix", "a")
            renewed = {"iam:TagRole"}  # by the teardown itself, as often as it takes
            assert set(begun.tries(before)) <= renewed
        return really(self, managed, *more, **named)

    monkeypatch.setattr(ResourceExecutor, "delete", delete)
    before = begun.mark()
    begun.teardown("a")

    assert refused(told["apply"])
    assert refused(told["teardown"])
    assert begun.acts(before)[0] == "iam:TagRole"
    assert begun.acts(before)[-1] == "iam:DeleteRole"
    assert begun.run("verify-gone", "--suffix", "a").code == 0


def test_a_killed_teardown_goes_on_at_once_and_elsewhere_when_it_counts_as_dead(begun: User, tmp_path: Path) -> None:
    other = begun.elsewhere(tmp_path / "other")
    begun.box.faults({"operation": "ec2:DeleteVpc", "fault": "reset", "times": 99})
    before = begun.mark()
    with begun.spawn("teardown", "--local", "--yes", "--suffix", "a") as process:
        while "ec2:DeleteVpc" not in begun.tries(before):
            time.sleep(0.01)
        process.kill()
    begun.box.faults()
    assert mark(begun)
    write(begun, f"{at(-60)} {mark(begun).partition(' ')[2]}")  # however slow this machine is
    assert refused(other.process("teardown", "--local", "--yes", "--suffix", "a"))

    begun.teardown("a")

    assert begun.run("verify-gone", "--suffix", "a").code == 0


@pytest.mark.parametrize("whose", ["another's", "nobody's"])
def test_an_apply_whose_stack_went_meanwhile_does_not_end_well(
    begun: User, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """It bears a mark: another run has taken it over, and ended or not."""
    really = ResourceExecutor.create

    def create(self: ResourceExecutor, managed: ManagedResource) -> JsonObject:
        doc = really(self, managed)
        if managed.spec.logical_id == "igw":
            write(begun, another(0) if whose == "another's" else "")
        return doc

    monkeypatch.setattr(ResourceExecutor, "create", create)
    ran = begun.run("apply", "--yes", "--suffix", "a", "--target", "vpc/igw")

    assert ran.code == 7, ran.err
    assert "may be gone" in ran.err or "Nothing more was called" in ran.err


@pytest.mark.parametrize("how", ["a teardown is at it", "the role is gone"])
def test_an_apply_without_a_mark_does_not_end_well_either(
    begun: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It only changes things, so it bears none; it looks again at its end."""
    really = ResourceExecutor.update

    def update(self: ResourceExecutor, managed: ManagedResource, change: Any) -> ManagedResource:
        done = really(self, managed, change)
        if how == "the role is gone":
            iam = client(begun.box.endpoint, "iam")
            for one in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=ROLE, PolicyArn=one["PolicyArn"])
            iam.delete_role(RoleName=ROLE)
        else:
            write(begun, another(0))
        return done

    monkeypatch.setattr(ResourceExecutor, "update", update)
    before = begun.mark()

    ran = begun.run("apply", "--yes", "--suffix", "a", *PART, "--set", 'tags={"team": "x"}')

    assert ran.code == 7, ran.err
    assert ("user/jo on laptop" if how != "the role is gone" else "is gone") in ran.err
    assert "ec2:CreateTags" in begun.acts(before)


def test_an_apply_without_a_mark_stops_before_a_teardown_that_began_since_its_plan(
    begun: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins_after(begun, monkeypatch, Confirmation, "confirm")
    before = begun.mark()

    ran = begun.run("apply", "--yes", "--suffix", "a", *PART, "--set", 'tags={"team": "x"}')

    assert (ran.code, begun.acts(before)) == (7, ["iam:TagRole"]), ran.err  # the other one's own


@pytest.mark.parametrize(("command", "code"), [("apply", 7), ("plan", 0)])
def test_what_blocks_a_plan_is_put_down_to_the_run_that_began_while_it_looked(
    begun: User, monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    begins_after(begun, monkeypatch, Session, "plan")
    yes = ("--yes",) if command == "apply" else ()

    ran = begun.run(command, *yes, "--suffix", "a", *PART, "--set", "network.cidr=10.9.0.0/16")

    assert ran.code == code, ran.err
    assert "user/jo on laptop" in ran.out + ran.err


SMALL = (
    ("deploy", "--image", "public.ecr.aws/acme/model:2"),
    ("rollback",),
    ("restart",),
    ("scale", "--max", "7"),
    ("run", "--", "true"),
    ("rotate-origin-secret",),
)


def test_no_command_changes_a_stack_at_which_another_machine_is(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a")
    write(user, another(-60))
    before = user.mark()

    for verb, *more in SMALL:
        assert refused(user.run(verb, "--yes", "--suffix", "a", "--local", *more, local=False)), verb
    assert user.tries(before) == []

    write(user, "")
    user.well("scale", "--yes", "--suffix", "a", "--max", "7")


def test_a_mark_is_not_put_on_the_role_of_somebody_else(begun: User) -> None:
    iam = client(begun.box.endpoint, "iam")
    iam.tag_role(RoleName=ROLE, Tags=[{"Key": "Environment", "Value": "b"}])
    before = begun.mark()

    begun.run("teardown", "--yes", "--suffix", "a")

    assert "iam:TagRole" not in begun.tries(before)


class Bearing(Thing):
    """What bears these tags."""

    def __init__(self, tags: dict[str, str]) -> None:
        self.tags = tags

    def read(self, *_: Any) -> JsonObject | None:
        return {"Id": "t-1", "Tags": dict(self.tags)}

    def retag(self, _client: Any, _it: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        self.tags |= put
        for name in drop:
            self.tags.pop(name, None)


class Slept(Hurried):
    """A clock of which one half stands still while the machine sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 1.8e9

    def wall(self) -> float:
        return self.epoch


@pytest.mark.parametrize("half", ["time", "epoch"])
def test_the_mark_is_renewed_and_a_run_that_was_taken_over_stops(half: str) -> None:
    clock, tags = Slept(), dict[str, str]()
    aws = SimpleNamespace(
        speed=1.0, endpoint="", is_faithful=True, aws_time=1.8e9, consistency_window=lambda usual: usual
    )
    clients: Any = SimpleNamespace(aws=aws, clock=clock, client=lambda *_: None)
    spec = ResourceSpec("thing", "ml-api-thing-prod", SUFFIX, id="t-1")
    marker = RunMarker(clients, ManagedResource(Bearing(tags), spec), RunIdentity("mine", "arn", "here"))
    marker.acquire(None)
    assert clock.sleeps == [10]

    aws.aws_time += RENEWAL_SECONDS
    setattr(clock, half, getattr(clock, half) + RENEWAL_SECONDS)
    before = tags[RUN_TAG]
    marker.guard()
    assert tags[RUN_TAG] != before

    tags[RUN_TAG] = another(0)
    marker.guard()  # it was asked a moment ago
    setattr(clock, half, getattr(clock, half) + RENEWAL_SECONDS)
    with pytest.raises(LockHeld, match="taken over by arn:aws:iam::123456789012:user/jo on laptop"):
        marker.guard()
    marker.end()
    assert "user/jo" in tags[RUN_TAG]
