"""What is asked for of a signature on what comes."""

from __future__ import annotations

from enum import StrEnum


class Policy(StrEnum):
    """What a peer must sign."""

    REQUIRE = "require"  # a good signature by a certificate that is known
    PREFER = "prefer"  # none, or one that is good; one by an unknown certificate counts for none
    IGNORE = "ignore"  # it is not looked at
