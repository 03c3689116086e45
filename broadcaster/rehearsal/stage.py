"""The rehearsal as a whole: its accounts, its connections, how they behave now."""

from __future__ import annotations

import asyncio
import time
from itertools import count

import msgspec

from broadcaster.errors import NotFoundError
from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.connection import Connection
from broadcaster.rehearsal.fates import Fates
from broadcaster.rehearsal.logbook import Logbook, Started
from broadcaster.rehearsal.recordings import Recordings
from broadcaster.rehearsal.script import Account as AccountScript
from broadcaster.rehearsal.script import Behaviour, Delay, Faults, Script, changed
from channels.line.settings import Address
from channels.line.wire import SignIn


class Stage:
    """Everything that one rehearsal process holds."""

    def __init__(self, script: Script, logbook: Logbook) -> None:
        self.script = script
        self.logbook = logbook
        self.connections: set[Connection] = set()
        self.recordings = Recordings(logbook.write)
        self.accounts: dict[str, Account] = {}
        self._behaviours = {medium: script.behaviour(medium, "") for medium in Medium}
        self._fates: dict[bytes, Fates] = {}
        self._numbers = count(1)
        self._prefix = f"{time.time_ns() // 1_000_000:x}"
        self._server: asyncio.Server | None = None
        logbook.write(Started(time.time(), self._prefix, script.to_json()))

    async def listen(self, address: Address) -> Address:
        """Accept connections; the address with the real port when 0 was asked for. Raises OSError."""
        loop = asyncio.get_running_loop()
        if address.path:
            self._server = await loop.create_unix_server(self._connect, address.path)
            return address
        self._server = await loop.create_server(self._connect, address.host, address.port)
        return Address(host=address.host, port=self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Disconnect everybody and close the logbook."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.cut("the rehearsal ends")
        if self._server is not None:
            await self._server.wait_closed()
        for account in self.accounts.values():
            account.stop()
        self.recordings.stop()
        self.logbook.close()

    def admit(self, frame: SignIn) -> tuple[Account | None, str]:
        """The account to sign in to, or why not."""
        try:
            medium = Medium(frame.channel)
        except ValueError:
            return None, f"no such channel: {frame.channel!r}"
        if self.script.accounts.get(frame.account, AccountScript()).password not in ("", frame.password):
            return None, "wrong password"
        account = self.accounts.get(frame.account) or self._new_account(frame.account, medium)
        if account.medium is not medium:
            return None, f"the account is for {account.medium.value}"
        return (None, "too many connections") if account.full() else (account, "")

    def account(self, name: str) -> Account:
        """A known account; NotFoundError otherwise."""
        if name not in self.accounts:
            raise NotFoundError(
                f"Nobody has signed in as {name!r}.", remedy=f"Known: {', '.join(self.accounts) or 'none'}."
            )
        return self.accounts[name]

    def behave(self, medium: Medium, changes: object) -> None:
        """Change how a channel's accounts behave from now on; SettingsError when the changes do not fit."""
        behaviour = changed(self._behaviours[medium], changes)
        self._behaviours[medium] = behaviour
        for account in self.accounts.values():
            if account.medium is medium and not self._has_its_own(account.name):
                account.follow(behaviour, self._fates_of(medium, behaviour))

    def _new_account(self, name: str, medium: Medium) -> Account:
        behaviour = self.script.behaviour(medium, name) if self._has_its_own(name) else self._behaviours[medium]
        prefix = f"{self._prefix}{len(self.accounts):02d}"
        account = Account(name, medium, prefix, self.logbook, self.script.pace)
        account.follow(behaviour, self._fates_of(medium, behaviour))
        self.accounts[name] = account
        return account

    def _has_its_own(self, name: str) -> bool:
        own = self.script.accounts.get(name)
        return own is not None and own.behaviour is not None

    def _fates_of(self, medium: Medium, behaviour: Behaviour) -> Fates:
        """The decks for a behaviour; the same ones as long as nothing changes that is dealt from them."""
        dealt = msgspec.structs.replace(
            behaviour, faults=Faults(), rate=0, connections=0, redeliver_after=1, answer=Delay()
        )
        key = medium.value.encode() + msgspec.json.encode(dealt)
        if key not in self._fates:
            self._fates[key] = Fates(self.script.seed, medium.value, behaviour, self.script.pace)
        return self._fates[key]

    def _connect(self) -> Connection:
        return Connection(self, next(self._numbers))
