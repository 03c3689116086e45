"""One pool to PostgreSQL, shared by the records (Tortoise) and the SQL that carries load (asyncpg).

Inside `transaction()` both speak on the same connection, so a record saved and a statement run are one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.api import migrate
from tortoise.transactions import in_transaction

Connection = asyncpg.Connection

MODELS = {
    "audiences": "audiences.records",
    "broadcaster": "broadcaster.records",
}


def tortoise_config(url: str, *, pool_max: int = 10, application: str = "daohu") -> dict[str, Any]:
    """Tortoise's configuration for a `postgres://` URL.

    A unix socket is named the libpq way, `postgres://user@/database?host=/folder&port=5432`.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or "localhost"])[0]
    port = int(query.get("port", [str(parts.port or 5432)])[0])
    credentials: dict[str, Any] = {
        "host": host,
        "port": port,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/"),
        "minsize": 1,
        "maxsize": pool_max,
        "application_name": application,
    }
    apps = {
        label: {
            "models": [module],
            "default_connection": "default",
            "migrations": f"{module.rpartition('.')[0]}.migrations",
        }
        for label, module in MODELS.items()
    }
    connections = {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}}
    return {"connections": connections, "apps": apps, "use_tz": True, "timezone": "UTC"}


class Database:
    """The open database. Make one with `open`; close it when the process ends."""

    @classmethod
    async def open(cls, url: str, *, pool_max: int = 10, application: str = "daohu") -> Database:
        """Connect to `url`; raises the driver's connection errors when it does not answer."""
        await Tortoise.init(config=tortoise_config(url, pool_max=pool_max, application=application))
        return cls()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A pooled asyncpg connection, outside any transaction."""
        async with get_connection("default").acquire_connection() as raw:
            yield raw

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction for records and SQL alike; yields the asyncpg connection it runs on."""
        async with in_transaction("default") as wrapper:
            async with wrapper.acquire_connection() as raw:
                pass  # the wrapper's lock must be free while records use the same connection
            yield raw

    async def close(self) -> None:
        await Tortoise.close_connections()


async def migrate_database(url: str) -> None:
    """Bring the schema at `url` up to this version's; safe to run again, and by several processes at once."""
    try:
        await migrate(config=tortoise_config(url, pool_max=2, application="daohu-migrate"))
    finally:
        await Tortoise.close_connections()
