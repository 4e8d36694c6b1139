#!/usr/bin/env bash
# ministack 1.5.33 tells another endpoint of an RDS cluster once an instance stands in it.
#
# Expected, as AWS does it: Endpoint of DescribeDBClusters is the same from the cluster's creation to its end,
# so it can be handed on before there is an instance (Terraform and CloudFormation both do).
# Seen: CreateDBCluster and the reads after it tell <name>.cluster-<id>.<region>.rds.amazonaws.com; after
# CreateDBInstance the same read tells the host at which the emulator itself runs a database, or would. What
# took the first value (a task definition, an output) is stale, and the next plan differs.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
# Apart: ministack 1.5.33 wants exactly botocore 1.43.106.
python3 -m venv "$work/server"
"$work/server/bin/pip" install -q --disable-pip-version-check 'ministack==1.5.33'
python3 -m venv "$work/client"
"$work/client/bin/pip" install -q --disable-pip-version-check 'boto3==1.44.5'
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$work" && GATEWAY_PORT=$port TMPDIR=$work exec server/bin/ministack >server.log 2>&1) &
server=$!
cat >"$work/endpoint.py" <<'PY'
import sys

import boto3
from botocore.config import Config

patient = Config(retries={"mode": "standard", "total_max_attempts": 12})
rds = boto3.client("rds", endpoint_url=sys.argv[1], region_name="us-east-1", config=patient)


def endpoint() -> str:
    return rds.describe_db_clusters(DBClusterIdentifier="example")["DBClusters"][0]["Endpoint"]


engine = {"Engine": "aurora-postgresql"}
rds.create_db_cluster(
    DBClusterIdentifier="example", MasterUsername="example", MasterUserPassword="example-1", **engine
)
before = endpoint()
rds.create_db_instance(
    DBInstanceIdentifier="one", DBClusterIdentifier="example", DBInstanceClass="db.serverless", **engine
)
after = endpoint()
print(f"without an instance: {before}\nwith one: {after}")
assert before.startswith("example.cluster-")
assert after != before, "it stays now"
PY
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing "$work/client/bin/python" "$work/endpoint.py" "http://127.0.0.1:$port"
