"""The pages' two languages: Simplified Chinese as written in the templates, English from a gettext catalogue."""

from __future__ import annotations

from aiohttp import web

from broadcaster.catalogue import CHINESE, ENGLISH, Catalogue
from broadcaster.catalogue import catalogue as read

COOKIE = "daohu_lang"

__all__ = ["CHINESE", "COOKIE", "ENGLISH", "catalogue", "chosen"]


def catalogue(language: str) -> Catalogue:
    """The texts of the pages in `language`; Chinese is the language of the templates and needs none."""
    return read("broadcaster.web", language)


def chosen(request: web.BaseRequest) -> str:
    """`?lang=` first, then what was chosen before, else Chinese."""
    wanted = request.query.get("lang") or request.cookies.get(COOKIE)
    return ENGLISH if wanted == ENGLISH else CHINESE
