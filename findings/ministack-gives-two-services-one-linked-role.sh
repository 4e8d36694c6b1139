#!/usr/bin/env bash
# ministack 1.5.33 gives the service-linked roles of two services one name, so the second cannot be made.
#
# Expected, as AWS does it: ecs.amazonaws.com has AWSServiceRoleForECS, and
# ecs.application-autoscaling.amazonaws.com has AWSServiceRoleForApplicationAutoScaling_ECSService; an account
# has both.
# Seen: the name is made of the first word of the service alone. The second call is refused with
# EntityAlreadyExists, and no role bears the second service's own name: who looks for that one finds none, ever.
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
cat >"$work/roles.py" <<'PY'
import sys

import boto3
from botocore.config import Config

patient = Config(retries={"mode": "standard", "total_max_attempts": 12})
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1", config=patient)
first = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]["RoleName"]
print(f"ecs: {first}")
try:
    second = iam.create_service_linked_role(AWSServiceName="ecs.application-autoscaling.amazonaws.com")
except iam.exceptions.ClientError as error:
    print(f"ecs.application-autoscaling: {error.response['Error']}")
    assert error.response["Error"]["Code"] == "EntityAlreadyExists"
    assert first in error.response["Error"]["Message"]
else:
    sys.exit(f"it has a role of its own now: {second['Role']['RoleName']}")
names = [one["RoleName"] for one in iam.list_roles()["Roles"]]
assert not [name for name in names if "AutoScaling" in name], names
PY
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing "$work/client/bin/python" "$work/roles.py" "http://127.0.0.1:$port"
