"""Somebody at the console without a browser: reads pages, sends their forms, and keeps cookies of their own."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import ClientResponse

from broadcaster.security import accounts
from broadcaster.security.permissions import SYSTEM, Grant, Role
from tests.harness.web import PASSWORD, Web

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass
class Console:
    """One person's cookies, and the last page that was read."""

    web: Web
    cookies: dict[str, str] = field(default_factory=dict)
    text: str = ""
    form_token: str = ""

    async def get(self, path: str) -> ClientResponse:
        return await self._ask("GET", path)

    async def post(self, path: str, fields: Mapping[str, str] | None = None) -> ClientResponse:
        """Send a form with the token of the last page that had one."""
        return await self._ask("POST", path, {"form_token": self.form_token, **(fields or {})})

    async def sign_in(self, name: str, password: str = PASSWORD) -> ClientResponse:
        await self.get("/")
        return await self.post("/sign-in", {"name": name, "password": password})

    async def _ask(self, method: str, path: str, data: Mapping[str, str] | None = None) -> ClientResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.web.client.session.cookie_jar.clear()
        headers = {"Cookie": cookie} if cookie else {}
        answer = await self.web.client.request(method, path, data=data, headers=headers, allow_redirects=False)
        for name, morsel in answer.cookies.items():
            self.cookies.pop(name, None)
            if morsel.value and morsel["max-age"] != "0":
                self.cookies[name] = morsel.value
        self.text = html.unescape(await answer.text())
        self.form_token = (_TOKEN.findall(self.text) or [self.form_token])[0]
        return answer


async def person(web: Web, name: str, *grants: tuple[str, str]) -> int:
    """An account with roles in regions; its id. The password is `PASSWORD`."""
    held = [Grant(Role(role), region) for role, region in grants]
    return await accounts.create_account(web.database, SYSTEM, name, PASSWORD, grants=held, now=web.clock.now())


async def signed_in(web: Web, name: str, *grants: tuple[str, str]) -> Console:
    """A new account at the console."""
    await person(web, name, *grants)
    console = Console(web)
    answer = await console.sign_in(name)
    assert (answer.status, answer.headers["Location"]) == (303, "/alerts"), console.text
    await console.get("/me")
    return console
