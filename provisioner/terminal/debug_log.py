"""The log of one command, for `--debug` and `--log-file`: a line for each record of the product's own loggers.

No other logger is turned on: botocore's would write the bodies of requests. A record names operations, resources, ids
and codes, never a parameter or a value.
"""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path
from types import TracebackType

from provisioner.errors import UsageError
from provisioner.terminal.console import sanitize

_LOGGERS = ("provisioner", "state")
_handlers: list[logging.Handler] = []


class _LineFormatter(logging.Formatter):
    """One line a record; an exception is its type and its frames, as its message may quote a value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line without control sequences."""
        return sanitize(super().format(record).replace("\n", " | "))

    def formatException(  # noqa: N802 - logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the frames of an exception and its type."""
        frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(ei[2])]
        return "\n".join([*frames, ei[0].__name__ if ei[0] else ""])


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The handler of `--debug`; while it is on, progress is printed as plain lines."""


def log_to_stderr() -> None:
    """Write the log to stderr."""
    _add(_StderrHandler())


def log_to_file(path: Path) -> None:
    """Append the log to a file, which is created for its owner alone (0600).

    Raises:
        UsageError: The file cannot be written.

    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        _add(logging.FileHandler(path, encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"The log file {path} cannot be written: {error.strerror or error}.", "Choose another place."
        ) from error


def is_logging_to_stderr() -> bool:
    """Return whether the log goes to stderr, so that a live display would be torn."""
    return any(isinstance(handler, _StderrHandler) for handler in _handlers)


def log_unexpected_error() -> None:
    """Log the exception that is being handled: where it was raised, and its type."""
    logging.getLogger(__name__).debug("unexpected error", exc_info=True)


def end_log() -> None:
    """Remove and close the handlers, so that nothing is logged any more."""
    for handler in _handlers:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(logging.NOTSET)
        handler.close()
    _handlers.clear()


def _add(handler: logging.Handler) -> None:
    """Add a handler to the product's loggers."""
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    _handlers.append(handler)
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.DEBUG)
