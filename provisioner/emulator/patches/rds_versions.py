"""Aurora PostgreSQL versions of the emulator: existing ones, orderable ones, and their support periods."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import list_moto
from provisioner.emulator.wire import Call

ENGINE = "aurora-postgresql"
DEFAULT_MAJOR = "16"
# 15: go-to-k/cdkd and aws-samples/sample-apj-sup-sa#163, us-east-1, July 2026 (15.4 went in 2025:
# aws/aws-cdk#35953). 17.10 and 18.6: TAK-NZ/cloudtak, ap-southeast-2, October 2026; 18.3 and 18.4:
# ministackorg/ministack, August 2026. The others: the minors PostgreSQL released on the same days.
MINORS = {
    "13": (18, 20, 21, 22, 23),
    "14": (15, 17, 18, 19, 20, 22),
    "15": (10, 12, 13, 14, 15, 17),
    "16": (6, 8, 9, 10, 11, 13),
    "17": (4, 5, 6, 7, 9, 10),
    "18": (3, 4, 6),
}
# The last days of standard and of extended support: Aurora PostgreSQL release calendar.
SUPPORT = {
    "13": ("2026-02-28", "2029-02-28"),
    "14": ("2027-02-28", "2030-02-28"),
    "15": ("2028-02-29", "2031-02-28"),
    "16": ("2029-02-28", "2032-02-29"),
    "17": ("2030-02-28", "2033-02-28"),
    "18": ("2031-02-28", "2034-02-28"),
}
_LAST_SECOND = "T23:59:59.999000+00:00"
VERSIONS = [f"{major}.{minor}" for major, minors in MINORS.items() for minor in minors]
CLASSES = ("db.serverless", "db.t4g.medium", "db.r6g.large", "db.r8g.large")


def full_version(requested: str | None) -> str:
    """Return the version that a requested one means: a major alone means its newest minor.

    None means the default major. An unknown version raises `AwsError`.
    """
    if requested in VERSIONS:
        return requested
    major = requested or DEFAULT_MAJOR
    if major in MINORS:
        return f"{major}.{MINORS[major][-1]}"
    # aws-samples/aws-saas-tenant-usage-and-cost-attribution#4
    raise AwsError("InvalidParameterCombination", f"Cannot find version {requested} for {ENGINE}")


@always.before("rds", "DescribeDBEngineVersions")
def describe_versions(call: Call) -> Reply | None:
    """List the versions of Aurora PostgreSQL, which moto lacks, and no versions of other engines."""
    params = call.params
    if params.get("Engine", ENGINE) != ENGINE:
        return {"DBEngineVersions": []}
    requested = params.get("EngineVersion", "")
    matching = [v for v in VERSIONS if not requested or v == requested or v.startswith(requested + ".")]
    if params.get("DefaultOnly"):
        matching = [v for v in matching if v == full_version(requested.partition(".")[0] or None)]
    descriptions = [_version(v) for v in matching]
    if family := params.get("DBParameterGroupFamily"):
        descriptions = [v for v in descriptions if v["DBParameterGroupFamily"] == family]
    return {"DBEngineVersions": descriptions}


def _version(version: str) -> dict[str, Any]:
    """Describe a version as DescribeDBEngineVersions does."""
    major, _, minor = version.partition(".")
    newer = [v for v in VERSIONS if _order(v) > _order(version) and int(v.partition(".")[0]) <= int(major) + 1]
    return {
        "Engine": ENGINE,
        "EngineVersion": version,
        "MajorEngineVersion": major,
        "DBParameterGroupFamily": f"{ENGINE}{major}",
        "DBEngineDescription": "Aurora (PostgreSQL)",
        "DBEngineVersionDescription": f"Aurora PostgreSQL (Compatible with PostgreSQL {major}.{minor})",
        "Status": "available",
        "SupportedEngineModes": ["provisioned"],
        "ExportableLogTypes": ["instance", "iam-db-auth-error", "postgresql"],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": False,
        "SupportsGlobalDatabases": True,
        # Auto-pause (MinCapacity 0) since 13.15, 14.12, 15.7 and 16.3, and 256 ACU with it:
        # AWS doc, Aurora Serverless v2 requirements. All versions listed here are newer.
        "ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 256.0},
        "ValidUpgradeTarget": [
            {
                "Engine": ENGINE,
                "EngineVersion": v,
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": not v.startswith(major + "."),
            }
            for v in newer
        ],
    }


@always.before("rds", "DescribeDBMajorEngineVersions")
def describe_majors(call: Call) -> Reply:
    """List the major versions with their support periods (AWS doc, API_SupportedEngineLifecycle)."""
    engine, major = call.params.get("Engine", ENGINE), call.params.get("MajorEngineVersion")
    listed = SUPPORT if engine == ENGINE else {}
    return {"DBMajorEngineVersions": [_lifecycle(each) for each in listed if major in (None, each)]}


def _lifecycle(major: str) -> dict[str, Any]:
    """Describe the periods of standard and of extended support of a major version."""
    standard, extended = (f"{day}{_LAST_SECOND}" for day in SUPPORT[major])
    return {
        "Engine": ENGINE,
        "MajorEngineVersion": major,
        "SupportedEngineLifecycles": [
            {
                "LifecycleSupportName": "open-source-rds-standard-support",
                "LifecycleSupportStartDate": f"{int(standard[:4]) - 5}-01-01T00:00:00+00:00",
                "LifecycleSupportEndDate": standard,
            },
            {
                "LifecycleSupportName": "open-source-rds-extended-support",
                "LifecycleSupportStartDate": f"{standard[:4]}-03-01T00:00:00+00:00",
                "LifecycleSupportEndDate": extended,
            },
        ],
    }


def is_unsupported(version: str) -> bool:
    """Return whether the standard support of a version's major version is over."""
    end = SUPPORT.get(version.partition(".")[0], ("9", ""))[0]
    return f"{end}{_LAST_SECOND}" < datetime.fromtimestamp(clock.now(), UTC).isoformat()


def next_supported(version: str) -> str:
    """Return the newest minor of the first later major version that has standard support."""
    majors = sorted((each for each in MINORS if int(each) > int(version.partition(".")[0])), key=int)
    return full_version(next(each for each in majors if not is_unsupported(each)))


def _order(version: str) -> tuple[int, ...]:
    """Return a version as numbers, so that versions can be compared."""
    return tuple(int(part) for part in version.split("."))


@always.before("rds", "DescribeOrderableDBInstanceOptions")
def describe_orderable(call: Call) -> Reply | None:
    """List the instance options of Aurora PostgreSQL.

    Moto lists old versions, most of them without db.serverless.
    """
    params = call.params
    if params["Engine"] != ENGINE:
        return None
    zones = list_moto(call, "ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
    requested = params.get("EngineVersion", "")
    options = [
        {
            "Engine": ENGINE,
            "EngineVersion": version,
            "DBInstanceClass": instance_class,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": [{"Name": zone["ZoneName"]} for zone in zones],
            "MultiAZCapable": False,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": storage,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": True,
            "SupportedEngineModes": ["provisioned"],
            "SupportedNetworkTypes": ["IPV4", "DUAL"],
        }
        for version in VERSIONS
        if not requested or version == requested or version.startswith(requested + ".")
        for instance_class in CLASSES
        if instance_class == params.get("DBInstanceClass", instance_class)
        for storage in ("aurora", "aurora-iopt1")
    ]
    return {"OrderableDBInstanceOptions": options}
