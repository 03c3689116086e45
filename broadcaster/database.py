"""One pool to PostgreSQL, shared by the records (Tortoise) and the SQL that carries load (asyncpg).

Inside `transaction()` both speak on the same connection, so a record saved and a statement run are one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.context import TortoiseContext, set_global_context
from tortoise.exceptions import ConfigurationError, DBConnectionError, TransactionManagementError

from broadcaster.errors import SettingsError, UnavailableError

Connection: TypeAlias = asyncpg.Connection

DATABASE_AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    DBConnectionError,
    TransactionManagementError,
)
"""What a statement raises when the database is stopped, full, read-only or cut off: worth trying again. The internal
error is what asyncpg makes of a connection whose server has just said its last words; tortoise takes a refused write
for a fault of the transaction."""

MODELS = {
    "audiences": "audiences.records",
    "broadcaster": "broadcaster.records",
}

_CONNECT_SECONDS = 10.0


def tortoise_config(url: str, *, pool_max: int = 10, application: str = "daohu") -> dict[str, Any]:
    """Tortoise's configuration for a `postgres://` URL; `?sslmode=` as libpq understands it.

    A unix socket is named the libpq way, `postgres://user@/database?host=/folder&port=5432`.
    Raises `SettingsError` for anything else.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    try:
        port = int(query.get("port", [str(parts.port or 5432)])[0])
    except ValueError:
        port = 0
    if parts.scheme not in {"postgres", "postgresql"} or not 0 < port < 65536 or len(parts.path) < 2:
        raise SettingsError(
            "不是可用的数据库地址：%(url)s",
            remedy="应为 postgres://用户:口令@主机:5432/库名，或 embedded。",
            url=shown(url),
        )
    credentials: dict[str, Any] = {
        "host": query.get("host", [parts.hostname or "localhost"])[0],
        "port": port,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path[1:]),
        "minsize": 1,
        "maxsize": pool_max,
        "timeout": _CONNECT_SECONDS,
        "reset": _as_it_is,
        # Compiling a large statement over a new alert, of which nothing is known, takes longer than running it.
        "server_settings": {"application_name": application, "jit": "off"},
    }
    if "sslmode" in query:
        credentials["ssl"] = query["sslmode"][0]
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


async def _as_it_is(connection: Connection) -> None:
    """Give a connection back without asyncpg's RESET ALL: nothing here changes a session beyond its transaction
    (only SET LOCAL and transaction-level locks), and that question would cost more than most of ours."""


def shown(url: str) -> str:
    """`url` as it may appear in a log or an error: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))


def with_database(url: str, name: str) -> str:
    """`url` with another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name)}"))


class Database:
    """The open database. Make one with `open`; close it when the process ends.

    A task that is started inside `transaction()` inherits its connection: start tasks outside.
    """

    def __init__(self, context: TortoiseContext) -> None:
        self._context = context

    @classmethod
    async def open(cls, url: str, *, pool_max: int = 10, application: str = "daohu") -> Database:
        """Connect to `url`, with at most `pool_max` connections. Raises `UnavailableError` when it does not answer.

        The records work in this task, in tasks started from it and, for the first database a process opens, everywhere.
        """
        context = TortoiseContext()
        context.__enter__()
        database = cls(context)
        try:
            await context.init(config=tortoise_config(url, pool_max=pool_max, application=application))
            async with database.connection():
                pass
        except (OSError, TimeoutError, asyncpg.PostgresError, DBConnectionError) as error:
            await database.close()
            raise unavailable(url, error) from error
        except BaseException:
            await database.close()
            raise
        with suppress(ConfigurationError):  # another database of this process is the fallback already
            set_global_context(context)
        return database

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A pooled asyncpg connection, in autocommit; inside `transaction()` the transaction's own."""
        async with self._client().acquire_connection() as raw:
            yield raw

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction for records and SQL alike; yields the asyncpg connection it runs on.

        A transaction inside a transaction is a savepoint.
        """
        client = self._client()
        if isinstance(client, TransactionWrapper):
            async with client._connection.transaction():
                yield client._connection
            return
        async with client.acquire_connection() as raw:
            wrapper = TransactionWrapper(client)
            wrapper._connection = raw
            token = self._context.connections.set("default", wrapper)
            try:
                async with raw.transaction():
                    yield raw
            finally:
                self._context.connections.reset(token)

    def figures(self) -> dict[str, float]:
        """How many connections the pool has, how many of them are idle, and how many it may have."""
        pool = self._client()._pool
        if pool is None:
            return {}
        return {"pool_size": pool.get_size(), "pool_idle": pool.get_idle_size(), "pool_max": pool.get_max_size()}

    async def close(self) -> None:
        """Close the pool; waits up to 10 s for statements under way."""
        await self._context.close_connections()
        with suppress(ValueError):  # closed in another task than it was opened in
            self._context.__exit__(None, None, None)

    def _client(self) -> AsyncpgDBClient:
        return cast(AsyncpgDBClient, self._context.connections.get("default"))


async def create_database(url: str) -> bool:
    """Create the database that `url` names unless it exists; returns whether it was created."""
    try:
        connection = await asyncpg.connect(dsn=url, timeout=_CONNECT_SECONDS)
    except asyncpg.InvalidCatalogNameError:
        return await _create(url)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise unavailable(url, error) from error
    await connection.close()
    return False


async def _create(url: str) -> bool:
    try:
        await _beside(url, "CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return False  # another process was faster
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        name = _name(url)
        raise UnavailableError(
            "数据库 %(name)s 不存在，也无法建立：%(error)s",
            remedy="请由数据库管理员执行 CREATE DATABASE %(name)s。",
            name=name,
            error=error,
        ) from error
    return True


async def drop_database(url: str) -> None:
    """Remove the database that `url` names, with everything in it, whoever is still connected."""
    try:
        await _beside(url, "DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        name = _name(url)
        raise UnavailableError(
            "数据库 %(name)s 没有删除：%(error)s",
            remedy="请由数据库管理员执行 DROP DATABASE %(name)s。",
            name=name,
            error=error,
        ) from error


async def _beside(url: str, statement: str) -> None:
    """Run a statement about the database that `url` names (`{name}`, quoted), from the maintenance database."""
    quoted = '"' + _name(url).replace('"', '""') + '"'
    connection = await asyncpg.connect(dsn=with_database(url, "postgres"), timeout=_CONNECT_SECONDS)
    try:
        await connection.execute(statement.format(name=quoted))
    finally:
        await connection.close()


def _name(url: str) -> str:
    return unquote(urlsplit(url).path[1:])


def unavailable(url: str, error: BaseException) -> UnavailableError:
    """The error of a database at `url` that does not answer."""
    reason = str(error) or type(error).__name__
    return UnavailableError(
        "连接不上数据库 %(url)s：%(reason)s",
        remedy="请检查 [database] url，以及数据库是否已经启动、允许连接。",
        url=shown(url),
        reason=reason,
    )
