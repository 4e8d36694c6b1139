"""Calls that replace a whole document: members that were sent are returned, members that were not are gone.

Moto drops members that it does not know, and leaves some others unchanged where a call does not send them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

Doc = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A document that calls replace as a whole.

    `puts` are the calls that replace it, and `read` is the call that returns it. `sent_path` is the member of
    their parameters that holds it, and `reply_path` the member of the reply; if empty, the parameters or the reply
    are the document. `name` is the member that identifies it. `members` are the members that are kept here,
    not by moto.
    """

    service: str
    puts: tuple[str, ...]
    read: str
    name: str
    members: tuple[str, ...]
    sent_path: str = ""
    reply_path: str = ""
    # The values of members that are not sent.
    defaults: Doc = field(default_factory=dict)


DOCUMENTS = (
    Document(
        "wafv2",
        ("CreateWebACL", "UpdateWebACL"),
        "GetWebACL",
        "Name",
        (
            *("Description", "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig"),
            *("TokenDomains", "AssociationConfig", "DataProtectionConfig", "OnSourceDDoSProtectionConfig"),
            *("ApplicationConfig", "MonetizationConfig"),
        ),
        reply_path="WebACL",
    ),
    Document(
        "wafv2",
        ("PutLoggingConfiguration",),
        "GetLoggingConfiguration",
        "ResourceArn",
        ("RedactedFields", "LoggingFilter", "LogType", "LogScope"),
        sent_path="LoggingConfiguration",
        reply_path="LoggingConfiguration",
    ),
    Document(
        "cloudwatch",
        ("PutMetricAlarm",),
        "DescribeAlarms",
        "AlarmName",
        (
            *("EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval"),
            "ActionConfiguration",
        ),
        reply_path="MetricAlarms",
    ),
    Document("s3", ("PutBucketEncryption",), "GetBucketEncryption", "Bucket", ("ServerSideEncryptionConfiguration",)),
    Document(
        "s3",
        ("PutBucketLifecycleConfiguration",),
        "GetBucketLifecycleConfiguration",
        "Bucket",
        ("TransitionDefaultMinimumObjectSize",),
        # botocore ServiceModel, TransitionDefaultMinimumObjectSize
        defaults={"TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    ),
    Document(
        "logs",
        ("PutDeliveryDestination",),
        "GetDeliveryDestination",
        "name",
        ("roleArn",),
        reply_path="deliveryDestination",
    ),
    Document("secretsmanager", ("RotateSecret",), "DescribeSecret", "SecretId", ("RotationRules",)),
)
_kept: AccountStore[Doc] = AccountStore()


def _member_at(doc: Any, path: str) -> Any:
    """Return the member of this name, or the whole document if the name is empty."""
    return doc[path] if path else doc


def _kept_documents(call: Call) -> dict[str, Doc]:
    """Return the documents that were sent to the call's service, of all regions for buckets."""
    return _kept.at(call.account, "" if call.service == "s3" else call.region)


def _keep_hook(document: Document) -> Callable[[Call, Reply], None]:
    """Return a hook that keeps the members of a document that a call sent."""

    def hook(call: Call, _: Reply) -> None:
        """Keep the members that the call sent, or their defaults."""
        sent = _member_at(call.params, document.sent_path)
        doc = {key: sent[key] for key in document.members if key in sent}
        _kept_documents(call)[f"{document.puts[-1]} {sent[document.name]}"] = document.defaults | doc

    return hook


def _restore_hook(document: Document) -> Callable[[Call, Reply], None]:
    """Return a hook that puts the kept members of a document into a reply."""

    def hook(call: Call, reply: Reply) -> None:
        """Replace the members of each document in the reply by the kept ones."""
        for replied, name in _named_documents(document, call, _member_at(reply, document.reply_path)):
            kept = _kept_documents(call).get(f"{document.puts[-1]} {name}")
            if kept is not None:
                for member in document.members:
                    replied.pop(member, None)
                replied.update(kept)

    return hook


def _named_documents(document: Document, call: Call, replied: Any) -> Iterator[tuple[Doc, str]]:
    """Yield each document in a reply, with its name."""
    for each in replied if isinstance(replied, list) else [replied]:
        yield each, each.get(document.name) or call.params.get(document.name, "")


for _document in DOCUMENTS:
    always.after(_document.service, *_document.puts)(_keep_hook(_document))
    always.after(_document.service, _document.read)(_restore_hook(_document))


@always.before("dynamodb", "UpdateContinuousBackups")
def reset_recovery_period(call: Call) -> None:
    """Reset the recovery period of a table to AWS's default if a call does not set it.

    Source: botocore ServiceModel, RecoveryPeriodInDays.
    """
    specification = call.params["PointInTimeRecoverySpecification"]
    table = backend("dynamodb", call.account, call.region).tables.get(call.params["TableName"])
    if (
        table is not None
        and specification["PointInTimeRecoveryEnabled"]
        and "RecoveryPeriodInDays" not in specification
    ):
        table.continuous_backups["PointInTimeRecoveryDescription"].pop("RecoveryPeriodInDays", None)


@always.after("iam", "UpdateRole")
def reset_session(call: Call, _: Reply) -> None:
    """Reset a role's session to one hour, and its description, if a call does not set them.

    Source: botocore ServiceModel, UpdateRole, MaxSessionDuration.
    """
    roles = backend("iam", call.account, "aws").roles.values()
    role = next(each for each in roles if each.name == call.params["RoleName"])
    role.max_session_duration = call.params.get("MaxSessionDuration", 3600)
    role.description = call.params.get("Description", "")
