"""What every section of the settings is, and the error for settings that contradict each other."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue
from pydantic_core import ErrorDetails

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
NUMBER_OR_TEXT = BeforeValidator(lambda value: int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else value)


def served_path(path: str) -> bytes:
    """Return the path that a web server compares: without query and fragment, decoded, and normalised.

    Repeated slashes become one, and `.` and `..` are resolved, as in nginx (src/http/ngx_http_parse.c,
    ngx_http_parse_complex_uri).

    Raises:
        ValueError: A server answers 400 to this path, whatever it serves.

    """
    without_query = re.split(r"[?#]", path, maxsplit=1)[0]
    if re.search(r"%(?![0-9A-Fa-f]{2})", without_query) or "%00" in without_query:
        raise ValueError(
            f"the placeholder cannot answer {quoted(path)}: a % is followed by two hex digits, and not by 00"
        )
    segments: list[bytes] = []
    given_segments = re.sub(rb"/+", b"/", unquote_to_bytes(without_query)).split(b"/")[1:]
    for segment in given_segments:
        if segment == b"..":
            if not segments:
                raise ValueError(f"the placeholder cannot answer {quoted(path)}: it leads above the root")
            segments.pop()
        elif segment not in (b".", b""):
            segments.append(segment)
    ends_with_slash = given_segments[-1] in (b"", b".", b"..")
    return b"/" + b"/".join(segments) + (b"/" if ends_with_slash and segments else b"")


class Incompatible(ValueError):
    """Settings that contradict each other; `remedy` is a sentence that says which one to change, and how."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def remedy_of(error: ErrorDetails) -> str:
    """Return the remedy for settings that contradict each other; "" for any other error of validation."""
    cause = error.get("ctx", {}).get("error")
    return cause.remedy if isinstance(cause, Incompatible) else ""


def remedy_for_service(group: str, remedy: str) -> str:
    """Return the remedy for a further service, with the paths of its own settings.

    Args:
        group: The path of the further service's own settings, such as `api.services.NAME`.
        remedy: A remedy that names settings of the main service: in `container` or `service`, or `image`.

    """
    return re.sub(r"`(?:(?:container|service)\.|(?=image`))", f"`{group}.", remedy)
