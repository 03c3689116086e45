"""Somebody at the console without a browser: signs in, reads pages, sends the forms on them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from aiohttp import ClientResponse, FormData

from tests.harness.web import DISTRICT, PASSWORD, Web

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass
class Reader:
    """One role in one region, signed in."""

    web: Web
    form_token: str = field(default="", repr=False)

    async def page(self, path: str, status: int = 200) -> str:
        """The page's text; fails unless the answer has that status."""
        answer = await self.web.client.get(path, allow_redirects=False)
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text[-800:])
        return text

    async def send(self, path: str, **fields: str) -> ClientResponse:
        """A form as the page would send it; redirects are not followed."""
        data = {"form_token": self.form_token, **fields}
        return await self.web.client.post(path, data=data, allow_redirects=False)

    async def upload(self, path: str, filename: str, content: bytes, **fields: str) -> ClientResponse:
        """A form with a file, which stands last."""
        data = FormData()
        for name, value in {"form_token": self.form_token, **fields}.items():
            data.add_field(name, value)
        data.add_field("file", io.BytesIO(content), filename=filename, content_type="application/octet-stream")
        return await self.web.client.post(path, data=data, allow_redirects=False)


async def reader(web: Web, role: str = "author", region: str = DISTRICT) -> Reader:
    """Signed in as that role in that region, whoever was before."""
    web.client.session.cookie_jar.clear()
    await web.token(role, region)
    form = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region or 'all'}", "password": PASSWORD, "form_token": _TOKEN.findall(form)[0]}
    answer = await web.client.post("/sign-in", data=fields)
    return Reader(web, _TOKEN.findall(await answer.text())[0])
