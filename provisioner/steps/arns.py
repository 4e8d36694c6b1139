"""The ARN of a thing of this stack, while its account may still be unknown."""

from __future__ import annotations

from provisioner.engine.graph import Piece
from provisioner.engine.refs import Text, text
from provisioner.steps.facts import Facts


def arn(up: Piece, facts: Facts, service: str, rest: str | Text, region: str = "") -> Text:
    """`arn:<partition>:<service>:<region>:<account>:<rest>`, in the stack's region or the one named."""
    form = "arn:{}:{}:{}:{}:{}"
    return text(form, facts.partition, service, region or up.stack.region, facts.account, rest)
