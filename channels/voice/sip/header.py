"""The parts of header values: lists, addresses, parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_PARAMETER = re.compile(r";\s*([A-Za-z0-9\-.!%*_+`'~]{1,64})\s*(?:=\s*(\"(?:[^\"\\]|\\.)*\"|[^;,\s\"]*))?")
_HOST = re.compile(r"(?i)sips?:(?:[^@<>\s]*@)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9.\-]{1,255})(?::([0-9]{1,5}))?(?=[;?>]|\Z)")
_SENT_BY = re.compile(r"(?i)SIP\s*/\s*2\.0\s*/\s*[a-z]{2,10}\s+([^\s;,]{1,255})")


class Party(NamedTuple):
    """An address in From, To, Contact or Route: the URI, and the parameters of the header (not of the URI)."""

    uri: str
    parameters: Mapping[str, str]

    @property
    def tag(self) -> str:
        return self.parameters.get("tag", "")


def party(value: str) -> Party:
    """Reads `"Name" <sip:…>;tag=…` or `sip:…;tag=…`; an empty URI where there is none."""
    rest = value.strip()
    if rest.startswith('"'):
        end = _closing_quote(rest)
        rest = rest[end + 1 :] if end > 0 else ""
    before, bracket, behind = rest.partition("<")
    if bracket:
        uri, _, tail = behind.partition(">")
        return Party(uri.strip(), parameters(tail))
    uri, semicolon, tail = before.partition(";")
    return Party(uri.strip(), parameters(semicolon + tail))


def parameters(text: str) -> dict[str, str]:
    """`;name=value;flag` by names in lower case; of a name that comes twice, the first."""
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        value = match[2] or ""
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found.setdefault(match[1].lower(), value)
    return found


def split(value: str) -> list[str]:
    """The members of a list that stands in one header, by commas outside of quotes and angle brackets."""
    found, start, place, inside = [], 0, 0, False
    while place < len(value):
        character = value[place]
        if character == '"':
            end = _closing_quote(value, place)
            place = end if end > 0 else len(value)
        elif character == "<":
            inside = True
        elif character == ">":
            inside = False
        elif character == "," and not inside:
            found.append(value[start:place].strip())
            start = place + 1
        place += 1
    found.append(value[start:].strip())
    return [one for one in found if one]


def where(uri: str) -> tuple[str, int] | None:
    """Host and port that a SIP URI names (port 5060, or 5061 for sips); None when it names none."""
    found = _HOST.match(uri)
    if found is None:
        return None
    port = int(found[2]) if found[2] else (5061 if uri[:5].lower() == "sips:" else 5060)
    return (found[1].strip("[]"), port) if 0 < port < 65536 else None


def branch(via: str) -> str:
    """The transaction that a Via belongs to; "" when it says none."""
    return parameters(via).get("branch", "")


def sent_by(via: str) -> str:
    found = _SENT_BY.match(via)
    return found[1].lower() if found else ""


def host_port(host: str, port: int) -> str:
    """As it is written in a URI or Via."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _closing_quote(text: str, start: int = 0) -> int:
    """The place of the quote that closes the one at `start`; -1 when none does."""
    place = start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == '"':
            return place
        place += 1
    return -1
