"""A page's own words outside of its template: faults of forms, in the language of the reader."""

from __future__ import annotations

from aiohttp import web

from broadcaster.web.language import catalogue, chosen
from broadcaster.web.pages.words import WORDS


def word(request: web.Request, code: str, of: str) -> str:
    """What the code is called among the words `of`, in the reader's language."""
    return catalogue(chosen(request)).gettext(WORDS[of][code])
