"""Every knob of the stack: its default, its bounds, its unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from provisioner.names import NODE_TAG, REGION_TAG, owner_tags

# A tag that is listed for amd64 and arm64 alike; its minor version stays, so the placeholder stays as tested.
PLACEHOLDER = "public.ecr.aws/nginx/nginx-unprivileged:1.29-alpine"

# botocore logs PutRetentionPolicy
_LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]

LogDays = Annotated[_LogDays, BeforeValidator(lambda value: int(value) if str(value).isdigit() else value)]

# AWS Fargate developer guide, task CPU and memory: MiB by CPU units.
FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


# AWS takes a VPC of /16 to /28; a load balancer's subnet takes /27 at least, and 16 of them fit in a /23.
_WIDEST, _NARROWEST = 16, 23
_FIRST_PRIVATE = 10


def _network(text: str) -> str:
    network = IPv4Network(text)
    if not _WIDEST <= network.prefixlen <= _NARROWEST:
        raise ValueError(f"the VPC takes a block from /{_WIDEST} to /{_NARROWEST}")
    return str(network)


def _free_name(name: str) -> str:
    # RDS user guide, PostgreSQL: names that RDS keeps for itself.
    if name in ("admin", "postgres", "rdsadmin", "rdsrepladmin"):
        raise ValueError(f"{name} is reserved by RDS")
    return name


def _own_tags(tags: dict[str, str]) -> dict[str, str]:
    for key in tags:
        if key.lower().startswith("aws:") or key in (*owner_tags(""), REGION_TAG, NODE_TAG, "Name"):
            raise ValueError(f"the tag {key} is not free: AWS or this tool sets it")
    return tags


# What a listener rule and nginx read alike (botocore elbv2 RuleCondition: 128 characters).
Prefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*\*?$", max_length=128)]


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(Section):
    """The VPC."""

    cidr: Annotated[str, AfterValidator(_network)] = Field("10.0.0.0/16", description="the VPC's block")
    zones: int = Field(
        3, ge=2, le=6, description="availability zones, each with a public and a private subnet"
    )
    nat: Literal["one", "per_zone"] = Field("one", description="NAT gateways: one, or one per zone")

    def blocks(self) -> tuple[list[str], list[str]]:
        """The blocks of the public and of the private subnets: numbers 0.. and 10.. of /24, or of a 16th."""
        whole = IPv4Network(self.cidr)
        blocks = [str(block) for block in whole.subnets(new_prefix=max(24, whole.prefixlen + 4))]
        return blocks[: self.zones], blocks[_FIRST_PRIVATE : _FIRST_PRIVATE + self.zones]


class Container(Section):
    """What runs in a task."""

    port: int = Field(8080, ge=1, le=65535, description="the port the container listens on")
    health_path: str = Field("/health", pattern=r"^/", max_length=1024, description="answers 200 when well")
    cpu: int = Field(1024, description="CPU units of a task; 1024 are one vCPU")
    memory: int = Field(2048, description="MiB of a task")
    architecture: Literal["X86_64", "ARM64"] = Field("X86_64", description="what the image is built for")
    environment: dict[str, str] = Field(default_factory=dict, description="more environment variables")
    secrets: dict[str, str] = Field(
        default_factory=dict, description="variables from secret or parameter ARNs"
    )

    @model_validator(mode="after")
    def _fits_fargate(self) -> Container:
        if self.cpu not in FARGATE:
            raise ValueError(f"Fargate has no task of {self.cpu} CPU units; it has {_words(FARGATE)}")
        if self.memory not in FARGATE[self.cpu]:
            fits = FARGATE[self.cpu]
            nearest = min(fits, key=lambda memory: abs(memory - self.memory))
            raise ValueError(
                f"Fargate has no task of {self.cpu} CPU units with {self.memory} MiB; {nearest} is nearest"
            )
        return self


class Service(Section):
    """How many tasks, where, and how they are rolled."""

    minimum: int = Field(2, ge=0, le=5000, description="tasks at least, and at birth")
    maximum: int = Field(10, ge=1, le=5000, description="tasks at most")
    requests: int = Field(1000, ge=1, description="requests per task and minute that autoscaling aims at")
    scale_out_cooldown: int = Field(60, ge=0, le=3600, description="seconds")
    scale_in_cooldown: int = Field(300, ge=0, le=3600, description="seconds")
    spot_weight: int = Field(70, ge=0, le=1000, description="share of Fargate Spot beyond the base")
    fargate_weight: int = Field(30, ge=0, le=1000, description="share of Fargate beyond the base")
    fargate_base: int = Field(2, ge=0, le=100000, description="tasks that always run on Fargate")
    grace: int = Field(60, ge=0, le=86400, description="seconds before health checks count")
    wait_for_database: bool | None = Field(
        None, description="start tasks only when the database is up; by default for an image of your own"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Service:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum ({self.maximum}) is below minimum ({self.minimum})")
        if self.spot_weight + self.fargate_weight == 0:
            raise ValueError("spot_weight and fargate_weight cannot both be 0: no task could be placed")
        return self


class Database(Section):
    """Aurora PostgreSQL Serverless v2."""

    version: str = Field("15", pattern=r"^\d+(\.\d+)?$", description="a major version, or an exact one")
    name: str = Field("mlapi", pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$", description="the database in it")
    username: Annotated[str, AfterValidator(_free_name)] = Field(
        "mlapi_admin", pattern=r"^[a-z][a-z0-9_]{0,62}$", description="its master user"
    )
    min_acu: float = Field(0.5, ge=0, le=256, multiple_of=0.5, description="capacity units at least")
    max_acu: float = Field(2, ge=1, le=256, multiple_of=0.5, description="capacity units at most")
    backup_days: int = Field(7, ge=1, le=35, description="days that backups are kept")
    final_snapshot: bool = Field(False, description="take a snapshot when the cluster is deleted")
    deletion_protection: bool = Field(False, description="AWS refuses to delete the cluster")
    rotation_days: int = Field(7, ge=1, le=1000, description="days after which RDS makes a new password")

    @model_validator(mode="after")
    def _in_order(self) -> Database:
        if self.max_acu < self.min_acu:
            raise ValueError(f"max_acu ({self.max_acu}) is below min_acu ({self.min_acu})")
        return self


class Logs(Section):
    """Log groups."""

    days: LogDays = Field(30, description="days that logs are kept")


class Edge(Section):
    """CloudFront."""

    error_pages: bool = Field(True, description="pages of our own for 403 and 404")
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        "PriceClass_100", description="which edge locations serve"
    )


class Api(Section):
    """What the load balancer routes."""

    prefixes: tuple[Prefix, ...] = Field(
        ("/api/v1/*", "/api/v2/*"), min_length=1, description="path patterns that lead to the service"
    )


class Settings(Section):
    """All settings of one stack."""

    profile: Literal["seed"] = Field("seed", description="the set of defaults")
    account: str | None = Field(None, pattern=r"^\d{12}$", description="refuse every other account")
    image: str = Field(PLACEHOLDER, min_length=1, description="the container image")
    tags: Annotated[dict[str, str], AfterValidator(_own_tags)] = Field(
        default_factory=dict, description="tags of your own on everything"
    )
    network: Network = Network()
    container: Container = Container()
    service: Service = Service()
    database: Database = Database()
    logs: Logs = Logs()
    api: Api = Api()
    edge: Edge = Edge()

    @property
    def is_placeholder(self) -> bool:
        """Whether the seed's placeholder runs."""
        return self.image == PLACEHOLDER

    @property
    def waits_for_database(self) -> bool:
        """Whether tasks start only when the database answers."""
        wanted = self.service.wait_for_database
        return not self.is_placeholder if wanted is None else wanted


def _words(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
