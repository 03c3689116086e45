"""The dialects of the emergency broadcast platforms, as data: what differs between them, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

AREA = 12
"""Digits of an area code (GB/T 2260 and the statistical code)."""

SECOND = "%Y-%m-%d %H:%M:%S"
"""How every time is written, in Beijing's."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One dialect. `resource`, `package` and `message`: digits of an EBRID, EBDID, EBMID; `area` and `kind`: where in
    an EBRID the area code and the type of resource stand; `renamed`: elements that have another name here;
    `signature`: which form an EBDS has; `utc_signed`: whether the four octets of the time follow the signed document.
    """

    name: str
    version: str
    resource: int
    package: int
    message: int
    area: slice
    kind: slice
    signature: Literal["plain", "certificate"]
    namespace: str = "http://www.w3.org/2001/XMLSchema"
    renamed: tuple[tuple[str, str], ...] = ()
    utc_signed: bool = False
    _codes: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        first = "[1-6]" if self.resource == 23 else "[0-9]"
        object.__setattr__(self, "_codes", re.compile(f"{first}[0-9]{{{self.resource - 1}}}"))

    def is_resource(self, code: str) -> bool:
        """Whether `code` has the form of an EBRID."""
        return self._codes.fullmatch(code) is not None

    def is_message(self, code: str) -> bool:
        """Whether `code` has the form of an EBMID."""
        return len(code) == self.message and code.isascii() and code.isdigit()

    def is_package(self, code: str) -> bool:
        """Whether `code` has the form of an EBDID."""
        return len(code) == self.package and code.isascii() and code.isdigit()


PROFILES = {
    one.name: one
    for one in (
        Profile(
            "2023",
            version="1",
            resource=23,
            package=41,
            message=35,
            area=slice(1, 13),
            kind=slice(13, 17),
            signature="plain",
        ),
        Profile(
            "2018",
            version="1.0",
            resource=18,
            package=36,
            message=30,
            area=slice(4, 16),
            kind=slice(0, 4),
            signature="certificate",
            renamed=(("SendTime", "SentTime"),),
        ),
    )
}
"""GY/T 383-389 of 2023, and the dialect of the provisional GD/J 079-089 that is still in the field: longest codes 23
and 18 digits."""
