"""Each setting on a standing stack: the plan says what changes, apply does exactly that, and back again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.server import LocalAws
from provisioner.engine.planning.resource_owner import is_identified_by_name
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources import RESOURCE_TYPES
from tests.support.live_stack import ACCOUNT
from tests.support.user import User

pytestmark = pytest.mark.xdist_group("settings")
SUFFIX = "prod"


@dataclass(frozen=True)
class Row:
    """Some settings, and of each node that they change: the action, and the fields that differ."""

    sets: dict[str, str]
    changes: dict[str, str]


def row(sets: str, **changes: str) -> Row:
    """A row as it is written below: nodes with `_` for their hyphens."""
    given = dict(one.split("=", 1) for one in sets.split(" "))
    return Row(given, {node.replace("_", "-"): change for node, change in changes.items()})


TTL = "TimeToLiveSpecification"
PRIVATE_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ml-api:1"
OF_A_SERVICE: tuple[str, ...] = ("sg-tasks", "sg-tasks-no-default-egress", "tg", "tg-attributes", "task", "service")
OF_A_SERVICE += ("scaling", "scaling-requests", "rule-tasks-out")
OF_A_SERVICE += tuple(f"rule-{way}-{end}" for way in ("alb-tasks", "tasks-db") for end in ("out", "in"))
ROWS = [
    row(
        'container.environment={"MODEL":"small"} container.cpu=2048 container.memory=4096 container.architecture=ARM64',
        task="replace cpu memory runtimePlatform containerDefinitions",
        service="update taskDefinition",
    ),
    row(
        "container.drop_capabilities=true container.readonly_root=true roles.bound_trust=true",
        task="replace containerDefinitions volumes",
        service="update taskDefinition",
        **dict.fromkeys(("execution_role", "task_role"), "update AssumeRolePolicyDocument"),
    ),
    row(
        "service.exec=true",
        **dict.fromkeys(("exec_logs", "exec_logs_retention", "task_role_exec"), "create"),
        cluster="update configuration",
        task="replace containerDefinitions",
        service="update taskDefinition enableExecuteCommand",
    ),
    row("service.maximum=20", scaling="update MaxCapacity"),
    row(
        "service.requests=500 service.scale_out_cooldown=30 service.scale_in_cooldown=600",
        scaling_requests="update TargetTrackingScalingPolicyConfiguration",
    ),
    row(
        "service.spot_weight=50 service.fargate_weight=50 service.fargate_base=1 service.grace=120",
        cluster="update defaultCapacityProviderStrategy",
        service="update capacityProviderStrategy healthCheckGracePeriodSeconds",
    ),
    row(
        "database.max_acu=4 database.min_acu=0 database.pause_after=600",
        aurora="update ServerlessV2ScalingConfiguration",
    ),
    row(
        "database.backup_days=14 database.deletion_protection=true database.final_snapshot=true",
        aurora="update BackupRetentionPeriod DeletionProtection SkipFinalSnapshot",
    ),
    row("database.rotation_days=30", db_rotation="create"),
    row(
        "database.readers=1 database.insights=true database.monitoring=30 database.iam_login=true"
        " database.tag_snapshots=true",
        aurora="update EnableIAMDatabaseAuthentication CopyTagsToSnapshot",
        writer="update MonitoringInterval EnablePerformanceInsights PerformanceInsightsRetentionPeriod"
        " MonitoringRoleArn",
        **dict.fromkeys(("reader_1", "monitor_role", "monitor_role_write"), "create"),
        task_role_use="update PolicyDocument",
        task="replace containerDefinitions",
        service="update taskDefinition",
    ),
    row("table.billing=provisioned", sessions="update BillingMode ProvisionedThroughput"),
    row("table.deletion_protection=true", sessions="update DeletionProtectionEnabled"),
    row("table.ttl_attribute=", sessions_ttl=f"update {TTL}"),
    row("table.ttl_attribute=expires", sessions_ttl=f"update {TTL}"),
    row(
        "table.point_in_time_recovery=false",
        sessions_pitr="update PointInTimeRecoverySpecification",
    ),
    row(
        "logs.days=7",
        ecs_logs_retention="update retentionInDays",
        alb_logs_retention="update retentionInDays",
        aurora_logs_retention="update retentionInDays",
        insights_logs_retention="update retentionInDays",
    ),
    row(
        "container.port=9090",
        **dict.fromkeys(("rule_alb_tasks_out", "rule_alb_tasks_in"), "replace FromPort ToPort"),
        task="replace containerDefinitions",
        service="update taskDefinition loadBalancers",
    ),
    row(
        "container.protocol=HTTPS image=mine.example/api:1",
        tg="replace Protocol HealthCheckProtocol Name",
        tg_attributes="create",
        listener_80="update DefaultActions",
        **dict.fromkeys(("rule_api_v1", "rule_api_v2"), "update Actions"),
        scaling_requests="update TargetTrackingScalingPolicyConfiguration",
        task="replace containerDefinitions",
        service="update taskDefinition loadBalancers",
    ),
    row(
        'api.prefixes=["/api/v2/*","/api/v3/*"]',
        rule_api_v3="create",
        rule_api_v1="delete",
        task="replace containerDefinitions",
        service="update taskDefinition",
    ),
    row(
        'api.prefixes=["/api/v1/*"] api.services={"second":{"prefixes":["/api/v2/*"]}}',
        rule_api_v2="update Actions",
        task="replace containerDefinitions",
        service="update taskDefinition",
        **dict.fromkeys((f"{part}.second" for part in OF_A_SERVICE), "create"),
    ),
    row("edge.price_class=PriceClass_200", edge="update PriceClass"),
    row("edge.error_pages=false", edge="update CustomErrorResponses"),
    row("edge.security_headers=true", edge="update DefaultCacheBehavior"),
    row(
        "network.zones=2",
        db_subnets="update SubnetIds",
        alb="update Subnets",
        service="update networkConfiguration",
        **dict.fromkeys(("public_3", "private_3", "follows_public_3", "follows_private_3"), "delete"),
    ),
    row(
        "network.nat=per_zone network.zones=4",
        db_subnets="update SubnetIds",
        alb="update Subnets",
        service="update networkConfiguration",
        endpoint_s3="update RouteTableIds",
        endpoint_dynamodb="update RouteTableIds",
        **dict.fromkeys(("follows_private_2", "follows_private_3"), "update RouteTableId"),
        **dict.fromkeys(("public_4", "private_4", "follows_public_4", "follows_private_4"), "create"),
        **{f"{part}_{n}": "create" for part in ("eip", "nat") for n in (2, 3, 4)},
        **{f"{part}_private_{n}": "create" for part in ("route", "routes") for n in (2, 3, 4)},
    ),
    row(
        f"network.nat=none image={PRIVATE_IMAGE}",
        task="replace containerDefinitions",
        service="update taskDefinition",
        execution_role_start="update PolicyDocument",
        **dict.fromkeys(("eip_1", "nat_1", "route_private_1"), "delete"),
        **dict.fromkeys(("sg_endpoints", "sg_endpoints_no_default_egress", "rule_endpoints_in"), "create"),
        **{f"endpoint_{one}": "create" for one in ("ecr_api", "ecr_dkr", "logs", "secretsmanager")},
    ),
]


def rounds(rows: Iterable[Row]) -> list[Row]:
    """Rows that touch no node in common, put together: what one changes cannot hide what another does."""
    packed: list[Row] = []
    for one in rows:
        for at, other in enumerate(packed):
            if not (one.changes.keys() & other.changes.keys() or one.sets.keys() & other.sets.keys()):
                packed[at] = Row(one.sets | other.sets, one.changes | other.changes)
                break
        else:
            packed.append(one)
    return packed


@dataclass(frozen=True)
class Stack:
    """The one stack that all rows change."""

    desk: User
    kinds: dict[str, str] = field(default_factory=dict)

    def plan(self, sets: dict[str, str]) -> dict[str, str]:
        """The changes that a plan tells of, in the form of the rows."""
        (told,) = self.desk.well("plan", "--suffix", SUFFIX, "--json", *_flags(sets)).lines
        self.kinds.update({change["node"]: change["kind"] for change in told["changes"]})
        return {change["node"]: _short(change) for change in told["changes"]}

    def apply(self, sets: dict[str, str]) -> set[str]:
        """What `apply` calls that changes anything."""
        before = self.desk.mark()
        self.desk.well("apply", "--yes", "--suffix", SUFFIX, *_flags(sets))
        return set(self.desk.acts(before))


def _flags(sets: dict[str, str]) -> Iterator[str]:
    for path, value in sets.items():
        yield from ("--set", f"{path}={value}")


def _short(change: dict[str, object]) -> str:
    fields = change["fields"]
    assert isinstance(fields, list)
    tops = dict.fromkeys(str(one["path"]).split(".")[0] for one in fields)
    return " ".join([str(change["action"]), *tops])


@pytest.fixture(scope="module")
def stack(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    user = User.before(served, tmp_path_factory.mktemp("changes") / "home")
    user.apply(SUFFIX)
    return Stack(user)


def calls_of(stack: Stack, changes: dict[str, str]) -> set[str]:
    """The mutating operations that these changes may take, by what their kinds declare."""
    found: set[str] = set()
    for node, change in changes.items():
        resource_type = RESOURCE_TYPES[stack.kinds[node]]
        verb = change.split()[0]
        # One that leads to whom nobody is led yet is born without requests, and moved when they are served.
        moved = verb == "create" and type(resource_type).routes_to is not ResourceType.routes_to
        verbs = {"replace": ("create", "update", "delete")}.get(verb, (verb, *(["update"] if moved else [])))
        named = {name for verb in (*verbs, "retag") for name in resource_type.operations_of(verb)} - set(
            resource_type.operations_of("read")
        )
        found |= {f"{resource_type.service}:{name}" for name in named}
        if verb in ("create", "replace") and resource_type.tagged and not is_identified_by_name(resource_type):
            # Two machines would make two of it: the run is marked meanwhile (engine/run_marker/marker.py).
            found |= {"iam:TagRole", "iam:UntagRole"}
    return found


def there_and_back(stack: Stack, one: Row) -> None:
    assert stack.plan(one.sets) == one.changes

    called = stack.apply(one.sets)

    assert called <= calls_of(stack, one.changes)
    assert called or set(one.changes) == {"aurora"}
    assert stack.plan(one.sets) == {}
    # That the way back is silent too, shows in the next plan, which tells of nothing else.
    stack.apply({})


# Every sixth round is enough for every day; each setting has one of its own in tests/settings/test_each_setting.py.
@pytest.mark.parametrize(
    "one",
    [pytest.param(one, marks=pytest.mark.slow if at % 6 else []) for at, one in enumerate(rounds(ROWS))],
    ids=lambda one: "+".join(one.sets),
)
def test_a_setting_is_changed_in_place_as_planned_and_back(stack: Stack, one: Row) -> None:
    there_and_back(stack, one)


@pytest.mark.slow
def test_what_aws_takes_once_an_hour_is_done_as_far_as_it_goes_and_the_plan_says_when(stack: Stack) -> None:
    sets = {"table.ttl_attribute": "expires", "service.maximum": "30"}
    apply = ("apply", "--yes", "--suffix", SUFFIX, *_flags(sets))
    stack.desk.slow(1.0)
    try:
        planned = stack.desk.plan(SUFFIX, *_flags(sets))
        first, before = stack.desk.run(*apply), stack.desk.mark()
        again = stack.desk.run(*apply)
    finally:
        stack.desk.slow(0.0)

    assert re.search(r"AWS takes one change in 60 minutes: done from \d\d:\d\d UTC", planned)
    assert (first.code, again.code) == (9, 9)
    assert re.search(r"the rest from \d\d:\d\d UTC", first.err)
    assert stack.desk.acts(before) == []
    # The hour is over: nothing takes time any more.
    assert stack.plan(sets) == {"sessions-ttl": "update TimeToLiveSpecification"}
    assert stack.apply(sets) == {"dynamodb:UpdateTimeToLive"}
    assert stack.plan(sets) == {}
    stack.apply({})
    assert stack.plan({}) == {}


def test_after_all_of_it_the_stack_is_as_it_was(stack: Stack) -> None:
    assert stack.plan({}) == {}


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("network.cidr", "10.1.0.0/16", "Vpc ml-api-vpc-prod"),
        ("network.private_cidrs", '["10.0.32.0/20", "10.0.48.0/20", "10.0.64.0/20"]', "CidrBlock"),
        ("database.version", "16", "another major version"),
        ("network.nat", "none", "private ECR of us-east-1"),
    ],
)
def test_what_would_lose_data_or_cannot_be_is_refused_with_the_way_out(
    stack: Stack, path: str, value: str, told: str
) -> None:
    before = stack.desk.mark()

    ran = stack.desk.run("apply", "--yes", "--suffix", SUFFIX, "--set", f"{path}={value}")

    assert ran.code == (64 if path == "network.nat" else 5)
    assert told in ran.err
    assert re.search("second stack|keep `network.nat=one`", ran.err)
    assert stack.desk.tries(before) == []


def test_a_zone_in_which_the_database_stands_is_not_left(stack: Stack) -> None:
    instance = next(iter(backend("rds", ACCOUNT, "us-east-1").databases.values()))
    home, instance.availability_zone = instance.availability_zone, "us-east-1c"
    before = stack.desk.mark()
    try:
        ran = stack.desk.run("apply", "--yes", "--suffix", SUFFIX, "--set", "network.zones=2")
    finally:
        instance.availability_zone = home

    assert ran.code == 5
    assert "is in us-east-1c" in ran.err
    assert stack.desk.tries(before) == []


@pytest.mark.parametrize(
    ("setting", "sign", "code"),
    [
        ("logs.days=7", "  ~ logs/ecs-logs-retention", 0),
        pytest.param("container.architecture=ARM64", "+ ecs/task", 0, marks=pytest.mark.slow),
        ("network.cidr=10.1.0.0/16", "  ! vpc/vpc", 5),
    ],
    ids=["in place", "replaced", "refused"],
)
def test_so_it_is_for_a_user_at_a_terminal(stack: Stack, setting: str, sign: str, code: int) -> None:
    ran = stack.desk.process("apply", "--yes", "--suffix", SUFFIX, "--local", "--set", setting)

    assert ran.code == code
    assert sign in ran.out
    assert stack.plan(dict([setting.split("=")]) if code == 0 else {}) == {}
    stack.apply({})
