"""Policies as they are decided: stored as JSON, read back as they are frozen onto alerts."""

from __future__ import annotations

import msgspec

from broadcaster.alerts.policy import Policy
from broadcaster.database import Connection
from broadcaster.decisions.versions import Subject, bodies


def encode(policy: Policy) -> str:
    """The policy as it is stored; equal policies are equal texts."""
    return msgspec.json.encode(policy).decode()


def decode(body: str) -> Policy:
    """The policy that `encode` wrote."""
    return msgspec.json.decode(body, type=Policy)


async def decided(connection: Connection) -> dict[str, Policy]:
    """The policies that the office decided on, by colour."""
    return {colour: decode(body) for colour, body in (await bodies(connection, Subject.POLICY)).items()}
