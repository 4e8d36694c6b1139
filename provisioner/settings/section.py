"""What every section of the settings is, and a health path as a web server takes it."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from provisioner.errors import quoted


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def unit(name: str) -> dict[str, JsonValue]:
    """Return the entry that a field adds to its JSON Schema to state the unit of its number."""
    return {"unit": name}


# CloudWatch's Threshold and Application Auto Scaling's TargetValue are doubles (botocore's service models).
# Beyond this number, a double cannot tell a whole number from the next one.
MAX_EXACT_INTEGER = 2**53
# Accepts a choice among numbers as text too, as it comes from shells and environment variables.
NUMBER = BeforeValidator(lambda value: int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else value)


def as_served(path: str) -> bytes:
    """Return the path that a web server compares: without query and fragment, decoded, and normalised.

    Repeated slashes become one, and `.` and `..` are resolved, as in nginx (src/http/ngx_http_parse.c,
    ngx_http_parse_complex_uri).

    Raises:
        ValueError: A server answers 400 to this path, whatever it serves.

    """
    plain = re.split(r"[?#]", path, maxsplit=1)[0]
    if re.search(r"%(?![0-9A-Fa-f]{2})", plain) or "%00" in plain:
        raise ValueError(
            f"the placeholder cannot answer {quoted(path)}: a % is followed by two hex digits, and not by 00"
        )
    kept: list[bytes] = []
    parts = re.sub(rb"/+", b"/", unquote_to_bytes(plain)).split(b"/")[1:]
    for part in parts:
        if part == b"..":
            if not kept:
                raise ValueError(f"the placeholder cannot answer {quoted(path)}: it leads above the root")
            kept.pop()
        elif part not in (b".", b""):
            kept.append(part)
    ends_open = parts[-1] in (b"", b".", b"..")
    return b"/" + b"/".join(kept) + (b"/" if ends_open and kept else b"")
