"""The certificates that TLS connections trust, and what to do if a certificate is not trusted."""

from __future__ import annotations

import os
from dataclasses import dataclass

import botocore.session
from botocore.exceptions import BotoCoreError

VARIABLE, OLD_VARIABLE, SETTING = "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"


@dataclass(frozen=True)
class Bundle:
    """The file of certificates that boto3 trusts, and what names it; `file` is "" for botocore's own."""

    file: str = ""
    named_by: str = ""

    @property
    def verify(self) -> str | bool:
        """The `verify` argument of botocore's HTTP session."""
        return self.file or True


def bundle() -> Bundle:
    """Return the file of certificates that boto3 trusts.

    As botocore finds it: session.py, `create_client`; endpoint.py, `_get_verify_value`.
    """
    try:
        told = botocore.session.Session().get_config_variable(SETTING)
    except BotoCoreError:  # an error of the profile, which has a message of its own
        told = os.environ.get(VARIABLE)
    if told:
        is_variable = os.environ.get(VARIABLE) == told
        return Bundle(str(told), VARIABLE if is_variable else f"{SETTING} of the profile")
    old = os.environ.get(OLD_VARIABLE, "")
    return Bundle(old, OLD_VARIABLE if old else "")


def mend_trust(*, is_unreadable: bool) -> str:
    """Return what to do if a certificate is not trusted, or if the file of trusted ones cannot be read."""
    used = bundle()
    if is_unreadable and used.file:
        return f"{used.named_by} names {used.file}: name a file there of certificates in PEM."
    now = f"{used.named_by} names {used.file} now" if used.file else "it is not set now"
    return (
        "A proxy that opens TLS shows certificates of its own: put its authority's certificate (PEM) into a "
        f"file, and name that with {VARIABLE} ({now})."
    )
