"""SDP as cameras describe themselves (RFC 8866): which stream is for sound to the camera, and in which encoding."""

from __future__ import annotations

from typing import NamedTuple

from channels.loudspeaker.live.answer import NonsenseError
from channels.loudspeaker.live.g711 import PAYLOAD_TYPES, RATE
from channels.speech.track import Line

MOST_LINES = 2000
STATIC = {number: line for line, number in PAYLOAD_TYPES.items()}
NAMES = {f"pcma/{RATE}": Line.A_LAW, f"pcmu/{RATE}": Line.MU_LAW}


class Backchannel(NamedTuple):
    """The stream: its control URL as the description gives it, encoding, payload type."""

    control: str
    line: Line
    payload_type: int


class _Media:
    def __init__(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        self.audio = kind == "audio"
        self.types = [int(one) for one in rest.split()[2:] if one.isascii() and one.isdigit() and len(one) <= 3]
        self.control = ""
        self.to_camera = False
        self.names: dict[int, str] = {}

    def attribute(self, name: str, value: str) -> None:
        if name == "sendonly":
            self.to_camera = True
        elif name == "control":
            self.control = value
        elif name == "rtpmap":
            number, _, what = value.partition(" ")
            if number.isascii() and number.isdigit() and len(number) <= 3:
                self.names[int(number)] = what.strip().lower().removesuffix("/1")

    def line(self) -> tuple[Line, int] | None:
        for number in self.types:
            line = NAMES.get(self.names[number]) if number in self.names else STATIC.get(number)
            if line is not None and number < 128:
                return line, number
        return None


def backchannel(description: bytes) -> Backchannel | None:
    """The first stream of sound that the client sends, in an encoding of ours; None when there is none. Raises
    `NonsenseError` when it is no description."""
    lines = description.decode("utf-8", "replace").splitlines()[:MOST_LINES]
    if not lines or not lines[0].startswith("v="):
        raise NonsenseError("no session description")
    medias: list[_Media] = []
    for line in lines:
        if line.startswith("m="):
            medias.append(_Media(line[2:]))
        elif line.startswith("a=") and medias:
            name, _, value = line[2:].partition(":")
            medias[-1].attribute(name.strip(), value.strip())
    for media in medias:
        if media.audio and media.to_camera and (found := media.line()) is not None:
            return Backchannel(media.control, *found)
    return None


def joined(base: str, control: str) -> str:
    """The URL that a control attribute means, from the `base` that the description was got from."""
    if control.startswith(("rtsp://", "rtspu://", "rtsps://")):
        return control
    if control in ("", "*"):
        return base
    return f"{base.rstrip('/')}/{control.lstrip('/')}"
