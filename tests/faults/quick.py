"""What is worked out again for each call and each part of an answer, worked out once: a case computes less."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import xmltodict
from botocore.auth import SigV4Auth
from botocore.useragent import UserAgentString
from moto.core.serialize import XFormedAttributePicker


@contextmanager
def quick() -> Iterator[None]:
    """Inside, moto writes its answers faster, and the same; no call is signed."""
    with ExitStack() as stack:
        if hasattr(xmltodict, "_validate_name"):
            checked = functools.cache(xmltodict._validate_name)
            stack.enter_context(patch.object(xmltodict, "_validate_name", checked))
        really = XFormedAttributePicker.get_possible_keys
        known: dict[Any, tuple[str, ...]] = {}

        def keys(picker: Any, context: Any) -> tuple[str, ...]:
            # A member's shape is made again at each look; what it is a part of and its name tell it.
            shape, parent = context.shape, getattr(context.shape, "parent", None)
            which = (
                type(context.obj),
                context.key,
                context.service_model.service_name,
                shape.name if shape is not None else None,
                parent.name if parent is not None else None,
            )
            if which not in known:
                known[which] = tuple(dict.fromkeys(really(picker, context)))
            return known[which]

        stack.enter_context(patch.object(XFormedAttributePicker, "get_possible_keys", keys))
        stack.enter_context(patch.object(SigV4Auth, "add_auth", _signed))
        stack.enter_context(patch.object(UserAgentString, "to_string", lambda _: "tests"))
        yield


def _signed(auth: Any, request: Any) -> None:
    """Tell who calls which service where, as a signature does, which nobody checks here."""
    request.context["timestamp"] = "20260101T000000Z"
    told = f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders=host, Signature=0"
    request.headers["Authorization"] = told
