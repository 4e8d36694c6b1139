"""The client side of the control port: one request, with the token that the emulator's state file holds."""

from __future__ import annotations

import json
from typing import Any

STATE = "local.json"
TIMEOUT = 2.0  # seconds; health is answered outside the emulator's own lock


def bearer(token: str) -> str:
    """Return the Authorization header that carries a token (RFC 6750, 2.1)."""
    return f"Bearer {token}"


def ask(endpoint: str, token: str, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the control port of an emulator; return the HTTP status and what its JSON says.

    Raise OSError, HTTPException or ValueError where nobody answers there, or nobody who speaks JSON.
    """
    from http.client import HTTPConnection  # noqa: PLC0415  # only where there is something to ask

    connection = HTTPConnection(endpoint.removeprefix("http://"), timeout=TIMEOUT)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(verb, f"/_embedded/{path}", sent, {"Authorization": bearer(token)})
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()
