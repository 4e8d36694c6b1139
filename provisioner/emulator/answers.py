"""The two ways a hook answers in place of moto: an AWS error, or a finished reply."""

from __future__ import annotations

from typing import Any

Reply = dict[str, Any]


class AwsError(Exception):
    """An AWS error response; boto3 raises it as a ClientError with this error code and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Answered(Exception):  # control flow, not an error
    """Raised by a `before` hook to return a reply that no other hook may change."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("replayed")
        self.reply = reply
