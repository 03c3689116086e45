"""Followers of the official account: how somebody who scans a village's code comes to hear what concerns a home.

The code says the village; the follower names the mobile number that the village has of the home, and sends back the
code that comes to that number by text message. Only who holds the telephone can bind an account to the home. Whether a
number is known is told to nobody: the answer is the same, and the code goes to the telephone, not to who asks.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from audiences import phone
from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch import notes
from broadcaster.ports import CallbackResult, Follow, GatewaySettings, Reply
from broadcaster.rosters import follower_words as words
from broadcaster.rosters.sql import FOLLOWERS, SQL
from broadcaster.security import audit

SCENE = "region:"
"""How the scene of a region's code begins; the region's code comes after it."""

GOOD_FOR = timedelta(minutes=10)
"""How long a code that was sent is good."""

DAY = timedelta(days=1)
OWN_NUMBERS, SAME_NUMBER, TRIES = 5, 3, 5
"""Numbers that one follower may name in a day; codes that one number gets in a day, whoever names it; attempts to give
a code."""

_CODE = re.compile(r"[0-9]{6}")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """What to say to the follower ("" nothing), and the replies that were meant for others than us."""

    words: str
    replies: Sequence[Reply]


class Followers:
    """Hears followers. `secret` is the installation's; `office` signs the text messages with codes, which one of
    `gateways` sends."""

    def __init__(
        self, database: Database, clock: Clock, secret: bytes, office: str, gateways: Iterable[GatewaySettings]
    ) -> None:
        self._database = database
        self._clock = clock
        self._key = hmac.digest(secret, b"daohu followers", "sha256")
        self._office = office
        self._gateways = tuple(gateways)

    async def hear(self, gateway: GatewaySettings, result: CallbackResult) -> Heard:
        """Understand what a callback of `gateway` carried; durable when this returns. On the drills' side of the wall
        nobody is bound: the contacts are those of the real thing."""
        if gateway.rehearsal:
            return Heard("", result.replies)
        said, others = "", list[Reply]()
        for follow in result.follows:
            said = await (self._began(gateway.name, follow) if follow.follows else self._left(gateway.name, follow))
        for reply in result.replies if result.say is not None else ():
            answer = await self._said(gateway.name, reply)
            if answer is None:
                others.append(reply)
            else:
                said = answer
        return Heard(said, others if result.say is not None else result.replies)

    async def _began(self, gateway: str, follow: Follow) -> str:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if await self._late(connection, gateway, follow):
                return ""
            scanned = follow.scene.removeprefix(SCENE) if follow.scene.startswith(SCENE) else ""
            region = scanned if scanned and await self._named(connection, scanned) else ""
            row = await connection.fetchrow(FOLLOWERS["began"], gateway, follow.address, region, follow.at)
            region, switched_off = row["region"], row["switched_off"]
            back = await connection.fetch(FOLLOWERS["returned"], switched_off, follow.address) if switched_off else []
            await connection.execute(FOLLOWERS["note_returned"], gateway, follow.address)
            place = await self._named(connection, region)
            bound = bool(place) and await connection.fetchval(FOLLOWERS["bound"], follow.address, region)
            for contact in back:
                await audit.append(connection, 0, "contact.return", now, subject=f"contact {contact['id']}")
        log.info("follower.began", gateway=gateway, region=region, contacts=len(back))
        if not place:
            return words.WELCOME_BACK if back else words.NO_REGION
        return words.bound_already(place) if bound else words.ask_number(place)

    async def _left(self, gateway: str, follow: Follow) -> str:
        """Nobody is there any more to be answered."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if await self._late(connection, gateway, follow):
                return ""
            ended = [row["id"] for row in await connection.fetch(FOLLOWERS["left"], follow.address)]
            await connection.execute(FOLLOWERS["note_left"], gateway, follow.address, ended, follow.at)
            for contact in ended:
                await audit.append(connection, 0, "contact.leave", now, subject=f"contact {contact}")
        log.info("follower.left", gateway=gateway, contacts=len(ended))
        return ""

    async def _late(self, connection: Connection, gateway: str, follow: Follow) -> bool:
        """Whether it comes again after something newer: the platform repeats what was answered too slowly."""
        latest = await connection.fetchval(FOLLOWERS["latest"], gateway, follow.address)
        return latest is not None and follow.at < latest

    async def _said(self, gateway: str, reply: Reply) -> str | None:
        """What to answer; None when the reply is for others: only a number alone, or a code that is waited for, is for
        us."""
        text = unicodedata.normalize("NFKC", reply.text).strip()
        number, code = _number(text), _CODE.fullmatch(text)
        if number is None and code is None:
            return None
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(FOLLOWERS["follower"], gateway, reply.address)
            if row is None:
                return words.NO_REGION if number else None
            if row["heard_id"] == reply.id:
                return str(row["answered"])
            if number is not None:
                answer: str | None = await self._asked(connection, gateway, reply.address, row["region"], number)
            else:
                answer = await self._proved(connection, gateway, reply.address, text)
            if answer is not None:
                await connection.execute(FOLLOWERS["answered"], gateway, reply.address, reply.id, answer)
        return answer

    async def _asked(self, connection: Connection, gateway: str, address: str, region: str, number: str) -> str:
        """Send a code to the number if it is one home's; the answer does not tell."""
        now, digest = self._clock.now(), self._digest("number", number)
        place = await self._named(connection, region)
        if not place:
            return words.NO_REGION
        if not phone.is_mobile(number):
            return words.MOBILE_ONLY
        carrier = await notes.carrier(connection, self._gateways, number)
        if carrier is None:
            return words.NO_CARRIER
        asked = await connection.fetchrow(FOLLOWERS["asked"], gateway, address, now - DAY, digest)
        if asked["own"] >= OWN_NUMBERS:
            return words.TOO_MANY_NUMBERS
        homes = await connection.fetch(FOLLOWERS["homes"], number, region)
        home = homes[0]["id"] if len(homes) == 1 and asked["same"] < SAME_NUMBER else None
        code = f"{secrets.randbelow(10**6):06}"
        await connection.execute(FOLLOWERS["forget"], now - 2 * DAY)
        await connection.execute(
            FOLLOWERS["ask"], gateway, address, digest, home, self._digest("code", f"{address}\n{code}"), now
        )
        if home is not None:
            await notes.say(connection, carrier, number, words.code(self._office, code), now)
        return words.sent(place)

    async def _proved(self, connection: Connection, gateway: str, address: str, code: str) -> str | None:
        """Bind the home whose code this is; None when no code is waited for."""
        now = self._clock.now()
        proof = await connection.fetchrow(FOLLOWERS["proof"], gateway, address, now - GOOD_FOR)
        if proof is None:
            return None
        if proof["tries"] >= TRIES:
            return words.TOO_MANY_TRIES
        await connection.execute(FOLLOWERS["tried"], proof["id"])
        right = hmac.compare_digest(proof["code"], self._digest("code", f"{address}\n{code}"))
        home = proof["household_id"]
        if not right or home is None or not await connection.fetchval(FOLLOWERS["home"], home):
            return words.WRONG_CODE
        await connection.execute(FOLLOWERS["proved"], proof["id"], now)
        contact = await connection.fetchval(SQL["contact_add"], home, "wechat", address)
        await audit.append(
            connection, 0, "contact.bind", now, subject=f"contact {contact}", detail={"household": home, "by": gateway}
        )
        log.info("follower.bound", gateway=gateway)
        return words.BOUND

    async def _named(self, connection: Connection, region: str) -> str:
        """The region's name, "" when there is none."""
        return str(await connection.fetchval(FOLLOWERS["region"], region) or "") if region else ""

    def _digest(self, what: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{what}\n{text}".encode(), "sha256")


def _number(text: str) -> str | None:
    """The telephone number that a text is, and nothing else; None for any other text."""
    try:
        return phone.normalise(text)
    except phone.PhoneError:
        return None
