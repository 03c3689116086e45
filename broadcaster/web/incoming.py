"""What of the received messages a caller may see: those that touch their regions; what has no place here belongs to the
district as a whole."""

from __future__ import annotations

from broadcaster.errors import NotFoundError
from broadcaster.intake import listing
from broadcaster.intake.listing import Incoming
from broadcaster.security.permissions import Action, Actor, touches
from broadcaster.web.context import Context


async def seen(context: Context, actor: Actor, number: int) -> tuple[Incoming, bytes]:
    """A message and its document; `NotFoundError` also where it touches no region that the actor may see."""
    async with context.database.connection() as connection:
        message, document = await listing.one(connection, number)
    if not touches(actor, Action.SEE, message.regions or (context.settings.district.code,)):
        raise NotFoundError("没有收到过编号为 %(number)s 的消息。", remedy="请从列表中重新选择。", number=number)
    return message, document
