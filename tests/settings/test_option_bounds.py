from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from provisioner.configuration import load_settings
from provisioner.errors import UsageError
from provisioner.settings import Settings
from provisioner.settings.network import Network
from provisioner.settings.variables import OWN_VARIABLES
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups


def given(*sets: str) -> Settings:
    return load_settings(None, ["profile=seed", *sets], {})


def refused(*sets: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        given(*sets)
    return caught.value


@pytest.mark.parametrize(
    ("cpu", "memory", "fits"),
    [
        (256, 512, True),
        (256, 2048, True),
        (256, 4096, False),
        (512, 512, False),
        (1024, 2048, True),
        (1024, 8192, True),
        (1024, 9216, False),
        (1024, 2050, False),
        (4096, 30720, True),
        (4096, 7168, False),
        (8192, 20480, True),
        (8192, 17408, False),
        (16384, 122880, True),
        (16384, 36864, False),
        (1000, 2048, False),
        (0, 0, False),
    ],
)
def test_only_what_fargate_has_is_taken(cpu: int, memory: int, fits: bool) -> None:
    sets = (f"container.cpu={cpu}", f"container.memory={memory}")

    if fits:
        assert (given(*sets).container.cpu, given(*sets).container.memory) == (cpu, memory)
    else:
        assert "container" in refused(*sets).message


def test_a_memory_that_does_not_fit_is_answered_with_the_nearest() -> None:
    assert "8192 is nearest" in refused("container.cpu=1024", "container.memory=10000").message


@pytest.mark.parametrize(
    "one",
    [
        "network.zones=1",
        "network.zones=7",
        "network.zones=three",
        "network.cidr=10.0.0.0/15",
        "network.cidr=10.0.0.0/24",
        "network.cidr=10.0.0.1/16",
        "network.cidr=nonsense",
        "network.nat=two",
        "container.port=0",
        "container.port=65536",
        "container.health_path=health",
        "container.architecture=arm",
        "service.minimum=-1",
        "service.minimum=11",
        "service.maximum=1",
        "service.requests=0",
        "database.version=15.x",
        "database.version=fifteen",
        "database.min_acu=0.7",
        "database.min_acu=3",
        "database.max_acu=257",
        "database.backup_days=0",
        "database.backup_days=36",
        "database.name=1db",
        "database.rotation_days=0",
        "database.readers=16",
        "database.monitoring=20",
        "database.iam_user=rdsadmin",
        "logs.days=31",
        "logs.days=0",
        "edge.price_class=PriceClass_1",
        "edge.error_pages=perhaps",
        "account=12345",
        "image=",
        "profile=gold",
        "api.prefixes=[]",
        'container.environment={"DB_HOST": "elsewhere"}',
        'container.environment={"": "x"}',
        'container.secrets={"DB_PASSWORD": "arn:aws:ssm:us-east-1:123456789012:parameter/any"}',
        'container.secrets={"KEY": "any"}',
        'tags={"project": "mine"}',
        'tags={"ML-API:Run": "mine"}',
        'tags={"team": "a", "Team": "b"}',
        'tags={"": "a"}',
        'tags={"team": "a!"}',
        f'tags={{"team": "{"a" * 257}"}}',
        f"tags={json.dumps({str(n): '' for n in range(41)})}",
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(one: str) -> None:
    section = one.partition("=")[0].split(".")[0]

    assert f"The setting `{section}" in refused(one).message


@pytest.mark.parametrize("given", ['{"KEY": "hunter2"}', '{"hunter": {"KEY": "hunter2"}}', "hunter2"])
def test_what_may_be_a_secret_is_not_repeated(given: str) -> None:
    error = refused(f"container.secrets={given}")

    assert "hunter2" not in f"{error.message} {error.hint}"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_secret_may_be_in_any_partition(partition: str) -> None:
    arn = f"arn:{partition}:ssm:any-region-1:123456789012:parameter/mine"

    assert given(f'container.secrets={{"KEY": "{arn}"}}').container.secrets == {"KEY": arn}


def test_a_variable_comes_from_one_place() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mine-abc123:password::"
    sets = (f'container.secrets={{"KEY": "{arn}"}}', 'container.environment={"OTHER": "x"}')

    assert given(*sets).container.secrets == {"KEY": arn}
    assert "KEY is in environment and in secrets" in refused(*sets, 'container.environment={"KEY": "x"}').message
    search = {"prefixes": ["/x"], "environment": {"KEY": "x"}, "secrets": {"OTHER": arn}}
    _, other = given(*sets, f"api.services={json.dumps({'search': search})}").workloads
    assert (other.container.environment, other.container.secrets) == ({"KEY": "x"}, {"OTHER": arn})


def test_what_the_stack_tells_every_container_is_not_free() -> None:
    settings = given("database.readers=1", "database.iam_login=true")
    stack = build(settings, "a", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))
    (container,) = stack.resources["task"].props["containerDefinitions"]

    assert {one["name"] for key in ("environment", "secrets") for one in container[key]} == OWN_VARIABLES


def test_a_shell_needs_a_root_that_can_be_written() -> None:
    told = refused("profile=production", "service.exec=true").hint

    assert "container.readonly_root=false" in told


def test_both_weights_at_nothing_would_place_no_task() -> None:
    assert "no task" in refused("service.spot_weight=0", "service.fargate_weight=0").message


def test_several_faults_are_told_at_once() -> None:
    message = refused("network.zones=9", "logs.days=2", "container.cpu=3").message

    assert all(name in message for name in ("network.zones", "logs.days", "container"))


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/16", "172.16.0.0/18", "10.9.0.0/20", "10.0.0.0/21", "192.168.0.0/22", "10.0.0.0/23"]
)
@pytest.mark.parametrize("zones", [3, 6])
def test_the_blocks_of_the_subnets_lie_in_the_vpc_and_apart(cidr: str, zones: int) -> None:
    public, private = Network(cidr=cidr, zones=zones).blocks()
    blocks = [IPv4Network(block) for block in public + private]

    assert (len(public), len(private)) == (zones, zones)
    assert all(block.subnet_of(IPv4Network(cidr)) and block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(two) for one in blocks for two in blocks if one is not two)


def test_the_seeds_blocks_are_the_seeds() -> None:
    public, private = Network().blocks()

    assert public == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    assert private == ["10.0.10.0/24", "10.0.11.0/24", "10.0.12.0/24"]
