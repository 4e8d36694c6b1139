"""Caches for what moto and botocore compute again at each call, so that a case takes less CPU."""

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
def cached_moto() -> Iterator[None]:
    """Make moto serialize the same replies faster, and sign no call."""
    with ExitStack() as stack:
        if hasattr(xmltodict, "_validate_name"):
            checked = functools.cache(xmltodict._validate_name)
            stack.enter_context(patch.object(xmltodict, "_validate_name", checked))
        original = XFormedAttributePicker.get_possible_keys
        known: dict[Any, tuple[str, ...]] = {}

        def keys(picker: Any, context: Any) -> tuple[str, ...]:
            # Shapes are new objects at each access; the names of shape and parent identify one.
            shape, parent = context.shape, getattr(context.shape, "parent", None)
            which = (
                type(context.obj),
                context.key,
                context.service_model.service_name,
                shape.name if shape is not None else None,
                parent.name if parent is not None else None,
            )
            if which not in known:
                known[which] = tuple(dict.fromkeys(original(picker, context)))
            return known[which]

        stack.enter_context(patch.object(XFormedAttributePicker, "get_possible_keys", keys))
        stack.enter_context(patch.object(SigV4Auth, "add_auth", _add_unsigned_scope))
        stack.enter_context(patch.object(UserAgentString, "to_string", lambda _: "tests"))
        yield


def _add_unsigned_scope(auth: Any, request: Any) -> None:
    """Set the Authorization header with the scope alone; nobody checks the signature here."""
    request.context["timestamp"] = "20260101T000000Z"
    header = f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders=host, Signature=0"
    request.headers["Authorization"] = header
