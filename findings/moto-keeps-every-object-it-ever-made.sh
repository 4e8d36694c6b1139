#!/usr/bin/env bash
# moto 5.2.5 keeps each model object that it ever made, also those made to answer a read.
#
# Expected: a read changes nothing, so a moto server that is only read stays as large as it is.
# Seen: moto.core.common_models.BaseModel.__new__ appends every instance to `instances_tracked` of its class,
# and nothing but a reset of the whole backend empties it. GetMetricData makes a datum and its dimensions for
# each bucket on each call: 200 reads of one bucket leave 400 more data behind, and the dimensions of each, for
# the life of the process.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'moto[s3,cloudwatch]==5.2.5' 'boto3==1.44.5'
cat >"$work/reads.py" <<'PY'
import gc
from datetime import UTC, datetime, timedelta

import boto3
from moto import mock_aws
from moto.cloudwatch.models import MetricDatum

READS = 200


def kept() -> int:
    gc.collect()
    return len(MetricDatum.instances_tracked)


with mock_aws():
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    session.client("s3").create_bucket(Bucket="example")
    cloudwatch = session.client("cloudwatch")
    metric = {"Namespace": "AWS/S3", "MetricName": "NumberOfObjects"}
    asked = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
    before = kept()
    for _ in range(READS):
        now = datetime.now(UTC)
        cloudwatch.get_metric_data(
            MetricDataQueries=asked, StartTime=now - timedelta(hours=1), EndTime=now
        )
    grown = kept() - before

print(f"{READS} reads left {grown} objects behind")
assert grown >= READS, "moto lets them go now: the correction in the local AWS can go too"
PY
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing "$work/venv/bin/python" "$work/reads.py"
