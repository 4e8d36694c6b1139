"""What somebody adds by hand inside the things of a standing stack."""

from __future__ import annotations

import json

from tests.support.live_stack import LiveStack
from tests.support.manual_changes import CLUSTER, DATABASE, SCALING, TABLE, TASK_ROLE, ManualChange, settle, table


def _allow(live_stack: LiveStack) -> None:
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "203.0.113.7/32"}],
    }
    live_stack.aws("ec2").authorize_security_group_ingress(
        GroupId=live_stack.group("sg-tasks"), IpPermissions=[permission]
    )


def _let_out(live_stack: LiveStack) -> None:
    peer = {"UserIdGroupPairs": [{"GroupId": live_stack.group("sg-alb")}]}
    live_stack.aws("ec2").authorize_security_group_egress(
        GroupId=live_stack.group("sg-db"), IpPermissions=[{"IpProtocol": "-1", **peer}]
    )


def let_everything_out(live_stack: LiveStack) -> None:
    """The rule that AWS gives to a new group, given again."""
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    live_stack.aws("ec2").authorize_security_group_egress(GroupId=live_stack.group("sg-db"), IpPermissions=[everywhere])


def _subnet(live_stack: LiveStack) -> None:
    live_stack.aws("ec2").create_subnet(VpcId=live_stack.vpc, CidrBlock="10.0.250.0/24")
    settle(lambda: live_stack.aws("ec2").describe_subnets())


def _route(live_stack: LiveStack) -> None:
    (gateway,) = live_stack.ec2("describe_internet_gateways", "InternetGateways")
    live_stack.aws("ec2").create_route(
        RouteTableId=table(live_stack, "routes-public"),
        DestinationCidrBlock="198.51.100.0/24",
        GatewayId=gateway["InternetGatewayId"],
    )


def _attach(live_stack: LiveStack) -> None:
    iam = live_stack.aws("iam")
    made = iam.create_policy(PolicyName="admin", PolicyDocument=_EVERYTHING)["Policy"]
    iam.attach_role_policy(RoleName=TASK_ROLE, PolicyArn=made["Arn"])


def _let_other_pages_read(live_stack: LiveStack) -> None:
    cors = "routing.http.response.access_control_allow_origin.header_value"
    live_stack.aws("elbv2").modify_listener_attributes(
        ListenerArn=live_stack.listener["ListenerArn"], Attributes=[{"Key": cors, "Value": "*"}]
    )


def _listen(live_stack: LiveStack) -> None:
    page = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    live_stack.aws("elbv2").create_listener(
        LoadBalancerArn=live_stack.balancer["LoadBalancerArn"], Port=8081, Protocol="HTTP", DefaultActions=[page]
    )
    settle(lambda: live_stack.listener)
    live_stack.aws("elbv2").create_rule(
        ListenerArn=live_stack.listener["ListenerArn"],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[page],
    )


def _scale(live_stack: LiveStack) -> None:
    live_stack.aws("application-autoscaling").put_scaling_policy(
        **SCALING,
        PolicyName="by-hand",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )


def _schedule(live_stack: LiveStack) -> None:
    live_stack.aws("application-autoscaling").put_scheduled_action(
        **SCALING,
        ScheduledActionName="by-night",
        Schedule="cron(0 20 * * ? *)",
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0},
    )


def _read_more(live_stack: LiveStack) -> None:
    live_stack.aws("rds").create_db_instance(
        DBInstanceIdentifier="by-hand",
        DBClusterIdentifier=DATABASE,
        DBInstanceClass="db.serverless",
        Engine="aurora-postgresql",
    )


_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


# What `drift` calls the extra, the node that it lies in, what `apply` does with it, and the deed.
def _open_to_all(live_stack: LiveStack) -> None:
    tables = live_stack.aws("dynamodb")
    arn = tables.describe_table(TableName=TABLE)["Table"]["TableArn"]
    tables.put_resource_policy(ResourceArn=arn, Policy=_EVERYTHING)


ADDED = [
    ManualChange("ingress tcp 22, 203.0.113.7/32", "sg-tasks", "removes", _allow),
    ManualChange("egress all traffic, ", "sg-db", "removes", _let_out),
    ManualChange("route 198.51.100.0/24 to igw-", "routes-public", "removes", _route),
    ManualChange(
        "inline policy by-hand",
        "task-role",
        "removes",
        lambda live_stack: live_stack.aws("iam").put_role_policy(
            RoleName=TASK_ROLE, PolicyName="by-hand", PolicyDocument=_EVERYTHING
        ),
    ),
    ManualChange("a resource policy", "sessions", "removes", _open_to_all),
    ManualChange("attached policy arn:aws:iam::123456789012:policy/admin", "task-role", "removes", _attach),
    ManualChange(
        "attribute routing.http.response.access_control_allow_origin.header_value=*",
        "listener-80",
        "removes",
        _let_other_pages_read,
    ),
    ManualChange("rule 7 for /by-hand", "listener-80", "leaves", lambda _stack: None),
    ManualChange("listener HTTP 8081", "alb", "leaves", _listen),
    ManualChange("scaling policy by-hand", "scaling", "leaves", _scale),
    ManualChange("scheduled action by-night, cron(0 20 * * ? *): minimum 0", "scaling", "leaves", _schedule),
    ManualChange("instance by-hand", "aurora", "leaves", _read_more),
    ManualChange(
        "subnet subnet-",
        "vpc",
        "leaves",
        _subnet,
    ),
    ManualChange(
        "service by-hand",
        "cluster",
        "leaves",
        lambda live_stack: live_stack.aws("ecs").create_service(
            cluster=CLUSTER,
            serviceName="by-hand",
            taskDefinition=live_stack.service["taskDefinition"],
            desiredCount=0,
        ),
    ),
]
