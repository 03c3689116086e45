"""Logs: structured events with ids, never with personal data; JSON for machines, text on a terminal.

Who logs should not pass phone numbers or names at all. What slips through (an exception's words, a library's message)
is masked here, in the one place that every line passes.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from broadcaster.clock import BEIJING

MASK = "***"

# Chinese mobile numbers (11 digits from 13 to 19, with or without 86 and the usual gaps), landlines with area code,
# identity card numbers (GB 11643, 18 characters), mail addresses (RFC 5321 4.5.3.1: 64 octets, labels of 63).
# Every part is bounded: strangers write some of what is logged (a broken request), and an unbounded part takes effort
# that grows with the square of it.
_PERSONAL = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        (?:\+?86[-\ ]?)?1[3-9]\d[-\ ]?\d{4}[-\ ]?\d{4}
      | 0\d{2,3}-\d{7,8}
      | [1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx]
      | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
_MOBILE = range(13_000_000_000, 20_000_000_000)

LONGEST = 20_000
"""Characters of one value; of a longer one the beginning and the end are kept."""

PERSONAL_KEYS = frozenset({"phone", "mobile", "address", "recipient", "text", "body", "password", "token", "secret"})
"""Keys whose values never appear, whatever they hold."""

Event = MutableMapping[str, Any]


def configure_logs(*, level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Send every log of this process, libraries' included, to `stream` (standard error).

    `form` is "json", "text", or "auto": text on a terminal.
    """
    target = stream or sys.stderr
    plain = form == "text" or (form == "auto" and target.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    common: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _local_time if plain else _universal_time,
        structlog.processors.format_exc_info,
        mask_personal_data,
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=target.isatty())
        if plain
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[*common, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask_personal_data, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))  # libraries are heard when something is wrong
    logging.captureWarnings(capture=True)


def mask_personal_data(_: object, __: str, event: Event) -> Event:
    """Replace what looks like a phone number, an identity number or a mail address, at any depth."""
    for key, value in event.items():
        event[key] = MASK if key in PERSONAL_KEYS else _masked(value)
    return event


def _masked(value: Any) -> Any:
    match value:
        case bool() | float() | None:
            return value
        case int():
            return MASK if value in _MOBILE else value
        case dict():
            return {_masked(key): MASK if key in PERSONAL_KEYS else _masked(entry) for key, entry in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(entry) for entry in value]
        case _:
            return _shortened(_PERSONAL.sub(MASK, str(value)))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def _universal_time(_: object, __: str, event: Event) -> Event:
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event


def _local_time(_: object, __: str, event: Event) -> Event:
    event["timestamp"] = datetime.now(BEIJING).strftime("%H:%M:%S")
    return event
