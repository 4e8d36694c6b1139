"""A health path as a web server takes it from a request's line."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes


def as_served(path: str) -> bytes:
    """Return the path that a server compares: without query and fragment, decoded, in its shortest form.

    As nginx does it (src/http/ngx_http_parse.c, ngx_http_parse_complex_uri): slashes in a row are one, `.`
    and `..` are followed.

    Raises:
        ValueError: A server answers 400 to such a path, whatever it serves.

    """
    plain = re.split(r"[?#]", path, maxsplit=1)[0]
    if re.search(r"%(?![0-9A-Fa-f]{2})", plain) or "%00" in plain:
        raise ValueError(
            f"the placeholder cannot answer {path}: a % is followed by two hex digits, and not by 00"
        )
    kept: list[bytes] = []
    parts = re.sub(rb"/+", b"/", unquote_to_bytes(plain)).split(b"/")[1:]
    for part in parts:
        if part == b"..":
            if not kept:
                raise ValueError(f"the placeholder cannot answer {path}: it leads above the root")
            kept.pop()
        elif part not in (b".", b""):
            kept.append(part)
    ends_open = parts[-1] in (b"", b".", b"..")
    return b"/" + b"/".join(kept) + (b"/" if ends_open and kept else b"")
