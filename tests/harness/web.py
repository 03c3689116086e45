"""What tests of the web application do: ask it things as people with roles, and do by hand what workers would."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch import fanout
from broadcaster.issuing import Plans
from broadcaster.ports import Audio, EngineReport, Medium
from broadcaster.schema import VERSION
from broadcaster.security import accounts, credentials
from broadcaster.security.permissions import SYSTEM, Grant, Role
from broadcaster.web.context import Context

DISTRICT = "330212"
TOWN, OTHER_TOWN = "330212101", "330212102"
PASSWORD = "correct horse battery"
Client = TestClient[Request, Application]
Make = Callable[..., Awaitable["Web"]]  # a context, and the pace of live progress


@dataclass
class Bells:
    """Notes who was rung for."""

    rung: list[str] = field(default_factory=list)

    async def ring(self, topic: str) -> bool:
        self.rung.append(topic)
        return True


class Silence:
    """A studio whose recordings hold a moment of silence; notes what was to be said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def build(self, text: str, medium: Medium, **how: object) -> Audio:
        self.said.append(text)
        path = Path(tempfile.gettempdir()) / "daohu-silence.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(1600))
        return Audio(path, "audio/wav", 0.1, "")

    def estimate(self, text: str, medium: Medium, *, repeats: int = 1, **how: object) -> float:
        return len(text) * 0.25 * repeats

    def wording(self, text: str, language: str = "zh-CN") -> str:
        return text.replace("重庆", "虫庆")

    def speaks(self, language: str) -> bool:
        return True

    async def examine(self, words: Mapping[str, str] | None = None) -> Sequence[EngineReport]:
        return [EngineReport("silence")]

    async def warm(self) -> None:
        """Nothing takes its time."""

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Web:
    """The application under test: requests by people who were given roles, and the work of others done by hand."""

    client: Client
    context: Context
    clock: ManualClock
    bells: Bells
    plans: Plans
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.context.database

    async def token(self, role: str, region: str = DISTRICT) -> str:
        """A bearer token of an account with one role in one region."""
        key = (role, region)
        if key not in self._tokens:
            grants = [Grant(Role(role), region)]
            name = f"{role}-{region or 'all'}"
            account = await accounts.create_account(
                self.database, SYSTEM, name, PASSWORD, grants=grants, now=self.clock.now()
            )
            self._tokens[key] = await credentials.grant_token(account, "test", self.clock.now())
        return self._tokens[key]

    async def ask(
        self, method: str, path: str, role: str = "author", region: str = DISTRICT, **options: Any
    ) -> ClientResponse:
        """One request with the token of that role in that region."""
        headers = {"Authorization": f"Bearer {await self.token(role, region)}", **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, allow_redirects=False, **options)

    async def draft(self, **fields: Any) -> int:
        """A draft of a typhoon warning for the first town; its id."""
        answer = await self.ask("POST", "/api/v1/alerts", json=form(**fields))
        assert answer.status == 201, await answer.text()
        number: int = (await answer.json())["id"]
        return number

    async def issued(self, **fields: Any) -> int:
        """An alert that was authored, approved and issued; its id."""
        number = await self.draft(**fields)
        assert (await self.ask("POST", f"/api/v1/alerts/{number}/submit", json={})).status == 200
        approval = await self.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 2})
        assert approval.status == 200, await approval.text()
        issue = await self.ask("POST", f"/api/v1/alerts/{number}/issue", json={"version": 3})
        assert issue.status == 200, await issue.text()
        return number

    async def fan_out(self) -> None:
        """What the worker would do first: plan every village that is due."""
        while await fanout.advance(self.database, self.plans.load, self.clock.now()) is not None:
            pass

    async def worker_lives(self) -> None:
        """A worker gives a sign of life."""
        async with self.database.connection() as connection:
            await connection.execute(
                "INSERT INTO process (name, kind, knows, figures) VALUES ('w-1', 'worker', $1, $2::text::jsonb)",
                VERSION,
                '{"recorder_buffered": 12, "pool_size": 3}',
            )

    async def value(self, query: str, *values: object) -> Any:
        """One value from the database."""
        async with self.database.connection() as connection:
            return await connection.fetchval(query, *values)


async def call_off(web: Web, number: int) -> None:
    """Issue the Cancel of an alert."""
    cancelled = await web.ask("POST", f"/api/v1/alerts/{number}/cancel", json={})
    assert cancelled.status == 201, await cancelled.text()
    successor = (await cancelled.json())["id"]
    for step, role, body in (
        ("submit", "author", {}),
        ("approve", "approver", {"version": 2}),
        ("issue", "author", {}),
    ):
        answer = await web.ask("POST", f"/api/v1/alerts/{successor}/{step}", role, json=body)
        assert answer.status == 200, await answer.text()


def form(**fields: Any) -> dict[str, Any]:
    """A complete typhoon warning for the first town, as JSON."""
    return {
        "hazard": "typhoon",
        "colour": "red",
        "headline": "台风红色预警",
        "description": "台风“梅花”预计今夜登陆。",
        "instruction": "请立即转移到安全地带。",
        "regions": [TOWN],
        "valid_hours": 12,
        **fields,
    }
