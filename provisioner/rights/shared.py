"""The rights on a team's state in S3: who looks reads it, who changes something writes it."""

from __future__ import annotations

from provisioner.rights.statements import Statement

_SCHEME = "s3://"
# Conditional writes are PutObject and need GetObject (S3 user guide, "Conditional writes"); without
# ListBucket S3 refuses to say that something is not there.
_READ, _WRITE = ("s3:GetObject",), ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def on_state(address: str, partition: str, *, writing: bool) -> list[Statement]:
    """What a run needs of the bucket, and of the keys under the prefix; nothing where it is no bucket."""
    if not address.startswith(_SCHEME):
        return []
    bucket, _, prefix = address.removeprefix(_SCHEME).partition("/")
    arn, keys = f"arn:{partition}:s3:::{bucket}", "/".join(filter(None, (prefix.strip("/"), "*")))
    return [
        {"Sid": "StateListed", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]},
        {
            "Sid": "StateKept" if writing else "StateRead",
            "Effect": "Allow",
            "Action": list(_WRITE if writing else _READ),
            "Resource": [f"{arn}/{keys}"],
        },
    ]
