"""The permissions on a team's state in S3: to read it, or for commands that change something to write it."""

from __future__ import annotations

from provisioner.rights.statements import Statement

_SCHEME = "s3://"
# Conditional writes are PutObject and need GetObject (S3 user guide, "Conditional writes"). Without
# ListBucket, S3 does not say that an object does not exist.
_READ, _WRITE = ("s3:GetObject",), ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def on_state(address: str, partition: str, *, writing: bool) -> list[Statement]:
    """Return the statements for the state bucket and the keys under its prefix; [] for a state in a folder.

    Args:
        address: Where the state is: `s3://bucket/prefix`, or a folder.
        partition: The partition of the bucket's ARN.
        writing: Whether the command changes the state.

    """
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
