"""The driver of a provider that is called over HTTPS; the providers differ in their `Provider` alone.

| what happened | outcome |
|---|---|
| no connection, no TLS: nothing was written | Deferred 1 s, the rest of the batch too |
| connection lost after it was written, or nonsense | Unknown |
| silence after it was written | Unknown; the rest of the batch Deferred 1 s |
| HTTP 429 | Deferred as Retry-After says, or 1 s; the rest too |
| 4xx that is not the provider's own answer | Deferred 30 s with the reason; the rest too |
| 5xx that is not | Unknown |
| the provider's own answer | what its `read` says |
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence

from broadcaster.errors import UnavailableError
from broadcaster.ports import Capabilities, Deferred, Envelope, Inbox, Journal, Outcome
from channels.http.client import Client
from channels.http.credential import Credential
from channels.http.exchange import NonsenseError
from channels.http.provider import RETRY_AFTER, Provider
from channels.http.sending import NOT_CONNECTED, Sending
from channels.http.settings import HttpOptions

BATCH_MAX = 2000


class HttpDriver:
    """One slot. `calls_back`: its receipts and replies come by `/callbacks/<gateway>`. Safe to `open` again."""

    def __init__(
        self,
        provider: Provider,
        options: HttpOptions,
        trust: ssl.SSLContext,
        journal: Journal,
        *,
        receipts: bool,
        replies: bool,
    ) -> None:
        self.capabilities = Capabilities(receipts, replies, window=options.window, batch_max=BATCH_MAX)
        self._provider = provider
        self._options = options
        self._trust = trust
        self._journal = journal
        self._client: Client | None = None
        self._credential: Credential | None = None

    async def open(self, inbox: Inbox) -> None:  # noqa: ARG002 - what comes back comes by `/callbacks/<gateway>`
        """Prove that the account works; `UnavailableError` says why it does not."""
        await self.close()
        client = Client(self._options, self._trust, self._journal)
        try:
            await self._provider.sign_in(client.call)
        except NonsenseError as problem:
            await client.drop()
            self._journal.note("!", str(problem))
            raise UnavailableError(
                f"{self._options.url.origin()} 的答复不是服务商接口的：{problem}。", remedy="请检查网关的 endpoint。"
            ) from problem
        except BaseException:
            await client.drop()
            raise
        self._client, self._credential = client, Credential(self._provider, client.call)

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, in the order in which the answers come."""
        client, credential = self._client, self._credential
        if client is None or credential is None:
            for envelope in batch:
                yield Deferred(envelope.key, NOT_CONNECTED, RETRY_AFTER)
            return
        sending = Sending(client, self._provider, credential, self._journal)
        async for outcomes in sending.run(batch, self.capabilities.window):
            for outcome in outcomes:
                yield outcome

    async def close(self) -> None:
        """Let the answers come for what was written, defer the rest, disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await client.finish()
