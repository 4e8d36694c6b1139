"""Text from AWS and from containers, without what would make a terminal do more than show it.

Everything that is printed passes `clean`. The tool's own sequences (colours, the moves of `--watch`) are
wrapped by `own` with a number that is drawn for each process, so that nobody else can write one.
"""

from __future__ import annotations

import re
import secrets

_DRAWN = secrets.token_hex(8)
_OWN = re.compile(rf"\x00{_DRAWN}:([^\x00]*)\x00")
# ECMA-48 and xterm's ctlseqs: strings (OSC, DCS, SOS, PM, APC) to their end, CSI, sequences of two
# characters, then each control character by itself; and the characters of Unicode that turn text around
# or tag it (UAX 9, 3).
_STRINGS = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
_TWO = r"\x1b[ -/]*[0-~]"
_TURNING = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
_OTHERS = _STRINGS + "|" + _CSI + "|" + _TWO + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f" + _TURNING + "]"
_ANY = re.compile(f"{_OWN.pattern}|{_OTHERS}")


def own(sequence: str) -> str:
    """Return a sequence of this tool's, so that `clean` lets it through."""
    return f"\x00{_DRAWN}:{sequence}\x00"


def clean(text: str) -> str:
    """Return the text with this tool's own sequences and no others; lines and tabs stay."""
    return _ANY.sub(lambda found: found[1] or "", text)


def raw(text: str) -> str:
    """Return the text with everything that is in it."""
    return _OWN.sub(lambda found: found[1], text)
