"""What both ends of a call will send and hear (SDP, RFC 8866; offer and answer, RFC 3264)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

PCMA, PCMU, EVENTS = 8, 0, 101
"""Payload types: G.711 A-law and µ-law have theirs for ever (RFC 3551), telephone events (RFC 4733) the one that we
offer."""

LAWS = {"PCMA": PCMA, "PCMU": PCMU}
LONGEST = 16 * 1024
_AUDIO = re.compile(r"audio ([0-9]{1,5})(?:/[0-9]+)? (RTP/\S{1,12})((?: [0-9]{1,3}){1,64})\Z")
_MAP = re.compile(r"rtpmap:([0-9]{1,3}) ([A-Za-z0-9\-_.]{1,32})/([0-9]{1,6})", re.IGNORECASE)
_CONNECTION = re.compile(r"IN IP[46] ([0-9A-Fa-f:.]{2,45})(?:/[0-9]{1,3})*\Z")


class SdpError(ValueError):
    """A description that is none, or in which there is nothing that we could send."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where the other end hears: address, port, the payload type that it takes, which law (8 or 0) that is, and the
    payload type of its telephone events (None: it has none). `held`: it wants to hear nothing for the time being."""

    host: str
    port: int
    payload: int
    law: int
    events: int | None
    held: bool


def offer(host: str, port: int, number: int) -> bytes:
    """What we offer: both laws and telephone events, 20 ms a packet. `number` names the session."""
    kind = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=- {number} {number} IN {kind} {host}\r\ns=-\r\nc=IN {kind} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {PCMA} {PCMU} {EVENTS}\r\n"
        f"a=rtpmap:{PCMA} PCMA/8000\r\na=rtpmap:{PCMU} PCMU/8000\r\n"
        f"a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    ).encode()


def read(body: bytes) -> Session:
    """What the other end says; `SdpError` when it says nothing that is of use."""
    if len(body) > LONGEST:
        raise SdpError("a description that is too long")
    common: list[str] = []
    section: list[str] | None = None
    media = ""
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("m="):
            if media:
                break
            if line.startswith("m=audio "):
                media, section = line[2:].strip(), []
            else:
                section = []  # another medium: passed over
            continue
        if section is None:
            common.append(line)
        elif media:
            section.append(line)
    found = _AUDIO.match(media)
    if found is None or found[2].upper() != "RTP/AVP":
        raise SdpError("no audio by RTP/AVP")
    port = int(found[1])
    if not 0 < port < 65536:
        raise SdpError("audio was declined")
    payload, law, events = _payloads(found[3].split(), section or [])
    host, silent = _host(section or []) or _host(common) or ("", False)
    if not host:
        raise SdpError("no address for the audio")
    held = silent or _direction(section or [], common) in {"sendonly", "inactive"}
    return Session(host, port, payload, law, events, held)


def _payloads(offered: list[str], section: list[str]) -> tuple[int, int, int | None]:
    """The payload type to send, its law, and that of telephone events."""
    named = {str(PCMA): "PCMA", str(PCMU): "PCMU"}
    for line in section:
        if line.startswith("a=") and (found := _MAP.match(line[2:])) is not None:
            named[found[1]] = found[2].upper() if found[3] == "8000" else ""
    spoken = next((one for one in offered if named.get(one) in LAWS), None)
    if spoken is None or int(spoken) > 127:
        raise SdpError("no G.711")
    events = next((int(one) for one in offered if named.get(one) == "TELEPHONE-EVENT" and int(one) < 128), None)
    return int(spoken), LAWS[named[spoken]], events


def _host(lines: list[str]) -> tuple[str, bool] | None:
    """The address in a c= line, and whether it is the one that means "send nothing" (RFC 3264 section 8.4)."""
    for line in lines:
        if line.startswith("c="):
            found = _CONNECTION.match(line[2:].strip())
            try:
                address = ipaddress.ip_address(found[1]) if found else None
            except ValueError:
                address = None
            if address is None or address.is_multicast:
                return None
            return str(address), address.is_unspecified
    return None


def _direction(section: list[str], common: list[str]) -> str:
    for line in (*section, *common):
        if line in {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}:
            return line[2:]
    return "sendrecv"
