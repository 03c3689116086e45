"""Networks: which carrier a mobile number belongs to, by its segment, for offices that have an account with each; and
which platform a WeChat address is good on, by its form.

A segment tells who gave the number out; whoever has taken it to another carrier keeps it. Carriers pass such messages
on or refuse them; a gateway without `networks` takes what no other gateway is for.

Segments: the numbering plan of the Ministry of Industry and Information Technology, virtual operators with the carrier
whose network they use.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from broadcaster.database import Connection
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import ANY_NETWORK, NETWORKS, PLATFORMS, Medium

_SEGMENTS = {
    "mobile": "134 135 136 137 138 139 147 148 150 151 152 157 158 159 165 172 178 182 183 184 187 188 195 197 198 "
    "1703 1705 1706",
    "unicom": "130 131 132 145 146 155 156 166 167 171 175 176 185 186 196 1704 1707 1708 1709",
    "telecom": "133 141 149 153 162 173 174 177 180 181 189 190 191 193 199 1349 1700 1701 1702",
    "broadnet": "192",
}
SEGMENTS = {prefix: network for network, prefixes in _SEGMENTS.items() for prefix in prefixes.split()}
"""From the first 3 or 4 digits of a mobile number to the network; the longer prefix wins."""


_SHARES = {
    Medium.SMS: {"mobile": 0.56, "telecom": 0.235, "unicom": 0.19, "broadnet": 0.015},
    Medium.WECHAT: {"official": 0.98, "wecom": 0.02},
}
"""How many of a hundred addresses are whose, about: of mobile numbers by the carriers' own reports for 2024; of WeChat,
households follow the official account, and those on duty are in WeCom."""

TELLING = {
    "numbers": "SELECT coalesce(jsonb_object_agg(prefix, network), '{}') AS segments FROM number_segment",
    "network": "CASE channel WHEN 'sms' THEN coalesce("
    "numbers.segments ->> left(address, 4), numbers.segments ->> left(address, 3), '') "
    "WHEN 'wechat' THEN CASE split_part(address, ':', 1) WHEN 'wecom' THEN 'wecom' WHEN 'group' THEN 'group' "
    "ELSE 'official' END ELSE '' END",
}
"""For statements that write batches: `{numbers}` is the body of a WITH of that name, `{network}` the network of the
row's `address` on its `channel`."""

_EVERY = {Medium.SMS: frozenset((*NETWORKS, ANY_NETWORK)), Medium.WECHAT: frozenset((*PLATFORMS, ANY_NETWORK))}


def every(channel: Medium) -> frozenset[str]:
    """All that a batch of `channel` can be for."""
    return _EVERY.get(channel, frozenset({ANY_NETWORK}))


def share(channel: Medium, networks: frozenset[str]) -> float:
    """How much of what goes out on `channel` is for `networks`, about; 1 for all of it."""
    shares = _SHARES.get(channel)
    return 1.0 if shares is None else math.fsum(shares.get(network, 0.0) for network in networks)


async def know(connection: Connection, gateways: Iterable[Gateway]) -> None:
    """Have the fan-out tell networks apart if any of `gateways` is for some only, and else not: every distinction makes
    batches smaller."""
    wanted = SEGMENTS if any(gateway.settings.networks for gateway in gateways) else {}
    await connection.execute("DELETE FROM number_segment WHERE prefix <> ALL ($1::text[])", list(wanted))
    await connection.execute(
        """
        INSERT INTO number_segment (prefix, network) SELECT * FROM unnest($1::text[], $2::text[])
        ON CONFLICT (prefix) DO UPDATE SET network = excluded.network WHERE number_segment.network <> excluded.network
        """,
        list(wanted),
        list(wanted.values()),
    )


def network_of(number: str) -> str:
    """The network of a mobile number, as the fan-out tells it; `ANY_NETWORK` of an unknown segment."""
    return SEGMENTS.get(number[:4]) or SEGMENTS.get(number[:3], ANY_NETWORK)


def served(gateway: Gateway, row: Iterable[Gateway]) -> frozenset[str]:
    """The networks that `gateway` may serve, of all in `row` (those of its channel, on its side of the wall): its own;
    all of them if it names none. What nobody in the row names, and numbers of no known segment, are for those that
    name none; where there is none of those, for everybody."""
    own, all_there_are = frozenset(gateway.settings.networks), every(gateway.settings.channel)
    others = [frozenset(other.settings.networks) for other in row]
    if not own:
        return all_there_are
    if not all(others):
        return own
    return own | (all_there_are - frozenset().union(*others))
