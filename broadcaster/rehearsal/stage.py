"""The rehearsal as a whole: its accounts, its connections, how they behave now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from broadcaster.errors import NotFoundError
from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.cast import CAST
from broadcaster.rehearsal.fates import Fates
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.ebd_platform import EbdPlatform
from broadcaster.rehearsal.fronts.front import TOO_MANY, WRONG_PASSWORD, Front, Proof
from broadcaster.rehearsal.fronts.line import LineFront
from broadcaster.rehearsal.fronts.weather import Weather
from broadcaster.rehearsal.fronts.wechat import Platform
from broadcaster.rehearsal.logbook import Logbook, Started
from broadcaster.rehearsal.names import Names
from broadcaster.rehearsal.recordings import Recordings
from broadcaster.rehearsal.script import Account as AccountScript
from broadcaster.rehearsal.script import Behaviour, Delay, Faults, Script, changed
from channels.line.settings import Address


class Stage:
    """Everything that one rehearsal process holds."""

    def __init__(self, script: Script, logbook: Logbook) -> None:
        self.script = script
        self.logbook = logbook
        self.connections: set[Front[Any]] = set()
        self.recordings = Recordings(logbook.write)
        self.accounts: dict[str, Account] = {}
        self._behaviours = {medium: script.behaviour(medium, "") for medium in Medium}
        self._fates: dict[bytes, Fates] = {}
        self._numbers = count(1)
        self._prefix = f"{time.time_ns() // 1_000_000:x}"
        self._acts: list[Act] = []
        self.platforms: dict[str, Platform | EbdPlatform] = {}
        self.weather: Weather | None = None
        logbook.write(Started(time.time(), self._prefix, script.to_json()))

    async def listen(self, address: Address) -> dict[str, Address]:
        """Open the line at `address` and the script's fronts; where each listens, by its name there, with the real port
        when 0 was asked for. Raises OSError."""
        line = Door(address, lambda: LineFront(self, self.next_number()))
        self._acts.append(line)
        found = {"line": await line.open()}
        for name, settings in self.script.fronts.given():
            act = CAST[name](self, settings)
            self._acts.append(act)
            at = await act.open()
            if at is not None:
                found[name] = at
        return found

    def next_number(self) -> int:
        """The number of another connection."""
        return next(self._numbers)

    async def stop(self) -> None:
        """Disconnect everybody and close the logbook."""
        for act in self._acts:
            act.close()
        for connection in list(self.connections):
            connection.cut("the rehearsal ends")
        while self.connections:  # noqa: ASYNC110 (each still writes down that it was lost, in the next turn)
            await asyncio.sleep(0)
        for account in self.accounts.values():
            account.stop()
        for act in self._acts:
            await act.stop()
        self.recordings.stop()
        self.logbook.close()

    def admit(
        self, name: str, medium: Medium, protocol: str, proves: Proof, names: Callable[[str], Names]
    ) -> tuple[Account | None, str]:
        """The account to sign in to, or why not."""
        password = self.password(name)
        if password and not proves(password):
            return None, WRONG_PASSWORD
        account = self.accounts.get(name) or self._new_account(name, medium, protocol, names)
        if account.medium is not medium:
            return None, f"the account is for {account.medium.value}"
        if account.protocol != protocol:
            return None, f"the account speaks {account.protocol}"
        return (None, TOO_MANY) if account.full() else (account, "")

    def password(self, name: str) -> str:
        """An account's secret; "" where any will do."""
        return self.script.accounts.get(name, AccountScript()).password

    def account(self, name: str) -> Account:
        """A known account; NotFoundError otherwise."""
        if name not in self.accounts:
            raise NotFoundError(
                f"Nobody has signed in as {name!r}.", remedy=f"Known: {', '.join(self.accounts) or 'none'}."
            )
        return self.accounts[name]

    def platform(self, name: str) -> Platform | EbdPlatform:
        """A platform that calls its clients; NotFoundError otherwise."""
        if name not in self.platforms:
            raise NotFoundError(
                f"There is no platform {name!r} here.", remedy=f"Known: {', '.join(self.platforms) or 'none'}."
            )
        return self.platforms[name]

    def behave(self, medium: Medium, changes: object) -> None:
        """Change how a channel's accounts behave from now on; SettingsError when the changes do not fit."""
        behaviour = changed(self._behaviours[medium], changes)
        self._behaviours[medium] = behaviour
        for account in self.accounts.values():
            if account.medium is medium and not self._has_its_own(account.name):
                account.follow(behaviour, self._fates_of(medium, behaviour))

    def _new_account(self, name: str, medium: Medium, protocol: str, names: Callable[[str], Names]) -> Account:
        behaviour = self.script.behaviour(medium, name) if self._has_its_own(name) else self._behaviours[medium]
        given = names(f"{self._prefix}{len(self.accounts):02d}")
        account = Account(name, medium, protocol, given, self.logbook, self.script.pace)
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
