"""What subscribers need of a worker: somebody who brings them what is issued."""

from __future__ import annotations

from broadcaster.share import Share
from broadcaster.webhooks.postman import Postman


def share(postman: Postman | None) -> Share:
    """The postman's rounds; None where nothing writes CAP or posts."""
    return Share(running={"webhooks": postman.run} if postman is not None else {})
