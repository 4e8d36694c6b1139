"""A stack that stands, looked at through AWS alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.account_inventory import client
from tests.support.user import User

Doc = dict[str, Any]
SUFFIX = "prod"
ACCOUNT = "123456789012"
OWNER = {"Project": "ml-api", "Environment": SUFFIX, "ManagedBy": "ml-api-provisioner"}


@dataclass(frozen=True)
class LiveStack:
    """The stack `prod` of the profile `seed`, and clients that know nothing of the tool."""

    desk: User
    region: str = "us-east-1"

    @classmethod
    def of(cls, user: User, region: str = "us-east-1") -> LiveStack:
        """Bring it up."""
        user.apply(SUFFIX, "--region", region)
        return cls(user, region)

    def aws(self, service: str, region: str = "") -> Any:
        """A client of a service, in the stack's region or the one named."""
        return client(self.desk.box.endpoint, service, region or self.region)

    def ec2(self, what: str, key: str, **filters: str) -> list[Doc]:
        """What EC2 lists of the stack: by our tag, or by the filters given."""
        asked = filters or {"tag:Environment": SUFFIX}
        listed = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in asked.items()]
        word = "Filter" if what == "describe_nat_gateways" else "Filters"
        return list(getattr(self.aws("ec2"), what)(**{word: listed})[key])

    @property
    def vpc(self) -> str:
        """The id of its VPC."""
        return str(self.ec2("describe_vpcs", "Vpcs")[0]["VpcId"])

    def group(self, name: str) -> str:
        """The id of the security group of that logical name."""
        groups = self.ec2("describe_security_groups", "SecurityGroups")
        return next(str(one["GroupId"]) for one in groups if tags(one["Tags"])["ml-api:node"] == name)

    @property
    def cluster(self) -> Doc:
        """Its database cluster."""
        found = self.aws("rds").describe_db_clusters()["DBClusters"]
        return dict(found[0])

    @property
    def secret(self) -> str:
        """The ARN of the secret with the database's login."""
        return str(self.cluster["MasterUserSecret"]["SecretArn"])

    @property
    def balancer(self) -> Doc:
        """Its load balancer."""
        return dict(self.aws("elbv2").describe_load_balancers()["LoadBalancers"][0])

    @property
    def target_group(self) -> Doc:
        """Its target group."""
        return dict(self.aws("elbv2").describe_target_groups()["TargetGroups"][0])

    @property
    def listener(self) -> Doc:
        """Its one listener."""
        listed = self.aws("elbv2").describe_listeners(LoadBalancerArn=self.balancer["LoadBalancerArn"])
        return dict(listed["Listeners"][0])

    @property
    def rules(self) -> dict[str, Doc]:
        """The listener's rules by the path they are for; the default one left out."""
        listed = self.aws("elbv2").describe_rules(ListenerArn=self.listener["ListenerArn"])["Rules"]
        return {rule["Conditions"][0]["Values"][0]: rule for rule in listed if not rule["IsDefault"]}

    @property
    def service(self) -> Doc:
        """Its ECS service."""
        ecs = self.aws("ecs")
        cluster = ecs.list_clusters()["clusterArns"][0]
        name = ecs.list_services(cluster=cluster)["serviceArns"][0]
        return dict(ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"][0])

    @property
    def task(self) -> Doc:
        """The task definition that its service runs."""
        found = self.aws("ecs").describe_task_definition(taskDefinition=self.service["taskDefinition"])
        return dict(found["taskDefinition"])

    @property
    def distribution(self) -> Doc:
        """Its distribution's configuration."""
        cloudfront = self.aws("cloudfront")
        id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
        return dict(cloudfront.get_distribution(Id=id_)["Distribution"]["DistributionConfig"])

    def statements(self) -> Iterator[tuple[str, Doc]]:
        """Every statement of every inline policy, with the name of its role."""
        iam = self.aws("iam")
        for name in (f"ml-api-execution-role-{SUFFIX}", f"ml-api-task-role-{SUFFIX}"):
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                yield from ((name, statement) for statement in document["Statement"])


def tags(listed: Any) -> dict[str, str]:
    """A list of tags as a mapping, in whichever case the service writes it."""
    if isinstance(listed, dict):
        return listed
    return {one.get("Key", one.get("key")): one.get("Value", one.get("value")) for one in listed}
