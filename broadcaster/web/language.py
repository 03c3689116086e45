"""The pages' two languages: Simplified Chinese as written in the templates, English from a gettext catalogue."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from broadcaster.catalogue import CHINESE, ENGLISH, Catalogue
from broadcaster.catalogue import catalogue as read

COOKIE = "daohu_lang"
MACHINES: Final = ("/api/", "/callbacks/", "/feeds/", "/healthz", "/readyz", "/metrics")
"""Where programs call, who have no page on which to choose a language."""
_LONGEST = 1000  # characters of a header that are read

__all__ = ["CHINESE", "COOKIE", "ENGLISH", "MACHINES", "catalogue", "chosen", "spoken"]


def catalogue(language: str) -> Catalogue:
    """The texts of the pages in `language`; Chinese is the language of the templates and needs none."""
    return read("broadcaster.web", language)


def chosen(request: web.BaseRequest) -> str:
    """`?lang=` first, then what was chosen before, else Chinese."""
    wanted = request.query.get("lang") or request.cookies.get(COOKIE)
    return ENGLISH if wanted == ENGLISH else CHINESE


def spoken(request: web.BaseRequest) -> str:
    """The language in which this caller reads an error: programs ask with Accept-Language (RFC 9110, 12.5.4)."""
    if request.path.startswith(MACHINES):
        return _preferred(request.headers.get("Accept-Language", ""))
    return chosen(request)


def _preferred(header: str) -> str:
    """English where it is wanted more than Chinese; what we do not speak does not count."""
    wanted: dict[str, float] = {}
    for choice in header[:_LONGEST].split(","):
        tag, _, parameter = choice.partition(";")
        name, weight = tag.strip().casefold().partition("-")[0], _weight(parameter)
        wanted[name] = max(weight, wanted.get(name, 0.0))
    anything = wanted.get("*", 0.0)
    return ENGLISH if wanted.get("en", anything) > wanted.get("zh", anything) else CHINESE


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().casefold() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
