#!/usr/bin/env bash
# moto 5.2.5 tells one balancer several times among the balancers of a target group.
#
# Expected: `LoadBalancerArns` of DescribeTargetGroups is the set of balancers that route to the group; a group is
# used by one balancer, so whoever asks each of them for its listeners asks once.
# Seen: each CreateListener and CreateRule whose forward names the group appends the balancer's ARN anew: two
# listeners with a rule each make four of the same, and a walk over them finds each rule four times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'moto[ec2,elbv2]==5.2.5' 'boto3==1.44.5'
cat >"$work/rules.py" <<'PY'
import boto3
from moto import mock_aws

with mock_aws():
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    ec2, elbv2 = session.client("ec2"), session.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for at, zone in enumerate("ab")
    ]
    ids = [one["Subnet"]["SubnetId"] for one in subnets]
    balancer = elbv2.create_load_balancer(Name="example", Subnets=ids)["LoadBalancers"][0]["LoadBalancerArn"]
    made = elbv2.create_target_group(Name="example", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    path = [{"Field": "path-pattern", "Values": ["/example"]}]
    for port in (80, 81):
        listener = elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward
        )["Listeners"][0]["ListenerArn"]
        elbv2.create_rule(ListenerArn=listener, Priority=1, Conditions=path, Actions=forward)
    (told,) = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]

arns = told["LoadBalancerArns"]
print(f"{len(set(arns))} balancer told {len(arns)} times")
assert (len(set(arns)), len(arns)) == (1, 4), "moto tells it otherwise now"
PY
"$work/venv/bin/python" "$work/rules.py"
