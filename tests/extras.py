"""What somebody adds by hand inside the things of a standing stack."""

from __future__ import annotations

import json

from tests.hands import CLUSTER, DATABASE, SCALING, TABLE, TASK_ROLE, Hand, settle, table
from tests.standing import Standing


def _allow(stack: Standing) -> None:
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "203.0.113.7/32"}],
    }
    stack.aws("ec2").authorize_security_group_ingress(GroupId=stack.group("sg-tasks"), IpPermissions=[permission])


def _let_out(stack: Standing) -> None:
    peer = {"UserIdGroupPairs": [{"GroupId": stack.group("sg-alb")}]}
    stack.aws("ec2").authorize_security_group_egress(
        GroupId=stack.group("sg-db"), IpPermissions=[{"IpProtocol": "-1", **peer}]
    )


def let_everything_out(stack: Standing) -> None:
    """The rule that AWS gives to a new group, given again."""
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    stack.aws("ec2").authorize_security_group_egress(GroupId=stack.group("sg-db"), IpPermissions=[everywhere])


def _subnet(stack: Standing) -> None:
    stack.aws("ec2").create_subnet(VpcId=stack.vpc, CidrBlock="10.0.250.0/24")
    settle(lambda: stack.aws("ec2").describe_subnets())


def _route(stack: Standing) -> None:
    (gateway,) = stack.ec2("describe_internet_gateways", "InternetGateways")
    stack.aws("ec2").create_route(
        RouteTableId=table(stack, "routes-public"),
        DestinationCidrBlock="198.51.100.0/24",
        GatewayId=gateway["InternetGatewayId"],
    )


def _attach(stack: Standing) -> None:
    iam = stack.aws("iam")
    made = iam.create_policy(PolicyName="admin", PolicyDocument=_EVERYTHING)["Policy"]
    iam.attach_role_policy(RoleName=TASK_ROLE, PolicyArn=made["Arn"])


def _let_other_pages_read(stack: Standing) -> None:
    cors = "routing.http.response.access_control_allow_origin.header_value"
    stack.aws("elbv2").modify_listener_attributes(
        ListenerArn=stack.listener["ListenerArn"], Attributes=[{"Key": cors, "Value": "*"}]
    )


def _listen(stack: Standing) -> None:
    page = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    stack.aws("elbv2").create_listener(
        LoadBalancerArn=stack.balancer["LoadBalancerArn"], Port=8081, Protocol="HTTP", DefaultActions=[page]
    )
    settle(lambda: stack.listener)
    stack.aws("elbv2").create_rule(
        ListenerArn=stack.listener["ListenerArn"],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[page],
    )


def _scale(stack: Standing) -> None:
    stack.aws("application-autoscaling").put_scaling_policy(
        **SCALING,
        PolicyName="by-hand",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )


def _schedule(stack: Standing) -> None:
    stack.aws("application-autoscaling").put_scheduled_action(
        **SCALING,
        ScheduledActionName="by-night",
        Schedule="cron(0 20 * * ? *)",
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0},
    )


def _read_more(stack: Standing) -> None:
    stack.aws("rds").create_db_instance(
        DBInstanceIdentifier="by-hand",
        DBClusterIdentifier=DATABASE,
        DBInstanceClass="db.serverless",
        Engine="aurora-postgresql",
    )


_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


# What `drift` calls the extra, the node that it lies in, what `apply` does with it, and the deed.
def _open_to_all(stack: Standing) -> None:
    tables = stack.aws("dynamodb")
    arn = tables.describe_table(TableName=TABLE)["Table"]["TableArn"]
    tables.put_resource_policy(ResourceArn=arn, Policy=_EVERYTHING)


ADDED = [
    Hand("ingress tcp 22, 203.0.113.7/32", "sg-tasks", "removes", _allow),
    Hand("egress all traffic, ", "sg-db", "removes", _let_out),
    Hand("route 198.51.100.0/24 to igw-", "routes-public", "removes", _route),
    Hand(
        "inline policy by-hand",
        "task-role",
        "removes",
        lambda stack: stack.aws("iam").put_role_policy(
            RoleName=TASK_ROLE, PolicyName="by-hand", PolicyDocument=_EVERYTHING
        ),
    ),
    Hand("a resource policy", "sessions", "removes", _open_to_all),
    Hand("attached policy arn:aws:iam::123456789012:policy/admin", "task-role", "removes", _attach),
    Hand(
        "attribute routing.http.response.access_control_allow_origin.header_value=*",
        "listener-80",
        "removes",
        _let_other_pages_read,
    ),
    Hand("rule 7 for /by-hand", "listener-80", "leaves", lambda _stack: None),
    Hand("listener HTTP 8081", "alb", "leaves", _listen),
    Hand("scaling policy by-hand", "scaling", "leaves", _scale),
    Hand("scheduled action by-night, cron(0 20 * * ? *): minimum 0", "scaling", "leaves", _schedule),
    Hand("instance by-hand", "aurora", "leaves", _read_more),
    Hand(
        "subnet subnet-",
        "vpc",
        "leaves",
        _subnet,
    ),
    Hand(
        "service by-hand",
        "cluster",
        "leaves",
        lambda stack: stack.aws("ecs").create_service(
            cluster=CLUSTER,
            serviceName="by-hand",
            taskDefinition=stack.service["taskDefinition"],
            desiredCount=0,
        ),
    ),
]
