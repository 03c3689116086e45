"""The texts of an alert, frozen at issue: what was approved is what goes out, whatever becomes of the templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from broadcaster.database import Connection, Database
from broadcaster.errors import NotFoundError
from broadcaster.recent import Recent
from templates.skeleton import Skeleton

FALLBACK_LANGUAGE = "zh-CN"


async def freeze(connection: Connection, alert_id: int, skeletons: Iterable[Skeleton]) -> None:
    """Keep the rendered messages of an alert, in the transaction that issues it."""
    await connection.executemany(
        "INSERT INTO message (alert_id, purpose, channel, language, body) VALUES ($1, $2, $3, $4, $5)",
        [
            (alert_id, one.purpose.value, one.medium.value, one.language, msgspec.json.encode(one).decode())
            for one in skeletons
        ],
    )


class TextKey(NamedTuple):
    """Which message of an alert: `purpose` public or unit, on `channel`, in `language`."""

    alert_id: int
    purpose: str
    channel: str
    language: str


class Texts:
    """Reads frozen messages, each once per process while its alert is recent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Recent[TextKey, Skeleton] = Recent(most=500)

    async def skeleton(self, key: TextKey) -> Skeleton:
        """The message of that key; `NotFoundError` when none was frozen.

        Its language (BCP 47) is looked up by the whole tag, then by the primary subtag (`en-US` finds `en`, and `en`
        finds `en-US`), else it is Chinese: the skeleton says which.
        """
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = await self._read(*key)
        return found

    async def _read(self, alert_id: int, purpose: str, channel: str, language: str) -> Skeleton:
        async with self._database.connection() as connection:
            body = await connection.fetchval(
                """
                SELECT body FROM message WHERE alert_id = $1 AND purpose = $2 AND channel = $3
                ORDER BY lower(language) = lower($4) DESC, lower(language) = split_part(lower($4), '-', 1) DESC,
                         split_part(lower(language), '-', 1) = split_part(lower($4), '-', 1) DESC,
                         language = $5 DESC, language
                LIMIT 1
                """,
                alert_id,
                purpose,
                channel,
                language,
                FALLBACK_LANGUAGE,
            )
        if body is None:
            raise NotFoundError(
                "预警 %(alert_id)s 没有 %(channel)s/%(purpose)s 的文本。",
                remedy="请检查该渠道的模板，然后发布更新。",
                alert_id=alert_id,
                channel=channel,
                purpose=purpose,
            )
        return msgspec.json.decode(body, type=Skeleton)
