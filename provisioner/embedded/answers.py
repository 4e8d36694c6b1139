"""What the box may answer in moto's place: a reply, or an error of AWS's."""

from __future__ import annotations

from typing import Any

Reply = dict[str, Any]


class AwsError(Exception):
    """An error AWS would answer: it reaches boto3 as a ClientError with exactly this wire code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Answered(Exception):  # an answer, not an error
    """Raised by a `before` hook to give a reply that no other hook may touch."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("replayed")
        self.reply = reply
