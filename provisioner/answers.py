"""An answer that cannot be read whole counts as none.

botocore takes JSON that was cut for an answer that tells nothing (parsers.py, `_parse_body_as_json`), an
empty body of XML and a proxy's page likewise: nothing would seem to be there.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.hooks import HierarchicalEmitter
from botocore.parsers import ResponseParserError

_ANSWERED = range(200, 300)
_PAGE = (b"<html", b"<!doctype html")


def demand_whole(events: HierarchicalEmitter) -> None:
    """Raise what botocore raises for XML that it cannot read, whichever the protocol."""
    events.register("before-parse.*", _check)


def _check(operation_model: Any, response_dict: Any, **_: Any) -> None:
    if response_dict["status_code"] not in _ANSWERED or not _has_body(operation_model):
        return
    body: bytes = response_dict["body"]
    if fault := _fault(body, "json" in operation_model.service_model.resolved_protocol):
        raise ResponseParserError(f"{operation_model.name} was answered with {fault}.")


def _has_body(model: Any) -> bool:
    """Whether something of the answer stands in its body, all of which is read at once."""
    shape = model.output_shape
    return bool(
        shape
        and not model.has_streaming_output
        and any("location" not in member.serialization for member in shape.members.values())
    )


def _fault(body: bytes, is_json: bool) -> str:
    """What is wrong with a body, in words."""
    if not body.strip():
        return "nothing"
    if body[:50].lstrip().lower().startswith(_PAGE):
        return "a page of HTML, as a proxy sends"
    return "" if not is_json or _is_object(body) else "what is no JSON, or was cut"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
