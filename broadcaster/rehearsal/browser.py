"""A reader opens a message's link, finds the button on the page and presses it, as a phone's browser would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import aiohttp
from lxml import html

TIMEOUT = aiohttp.ClientTimeout(total=30)

AT_ONCE = 20
"""Readers that look at pages at the same time."""


class Browser:
    """All the phones of an account's readers."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self, link: str, button: str, extra: Mapping[str, str]) -> bool:
        """Open `link`; press the button whose label or value matches `button` ("" = only look); whether that worked.

        `extra` is filled in besides what the page's form brings. A page that does not open is given up, as people do.
        """
        async with self._turns:
            try:
                async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
                    async with session.get(link) as response:
                        page, address = await response.text(), str(response.url)
                    if not button:
                        return response.ok
                    found = find_form(page, button)
                    if found is None:
                        return False
                    action, fields = found
                    async with session.post(urljoin(address, action), data={**fields, **extra}) as response:
                        return response.ok
            except (aiohttp.ClientError, TimeoutError, ValueError):
                return False


def find_form(page: str, button: str) -> tuple[str, dict[str, str]] | None:
    """Where the form with a matching button posts to, and the fields it sends; None when there is none."""
    if not page.strip():
        return None
    tree: Any = html.document_fromstring(page)
    for form in tree.forms:
        for pressed in form.xpath(".//button[not(@type) or @type='submit']|.//input[@type='submit']"):
            label = f"{pressed.text_content()} {pressed.get('value', '')}"
            if form.method == "POST" and re.search(button, label):
                fields = {str(name): str(value) for name, value in form.form_values()}
                if pressed.get("name"):
                    fields[pressed.get("name")] = pressed.get("value", "")
                return pressed.get("formaction") or form.action or "", fields
    return None
