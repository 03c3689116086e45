"""The pages' two languages: Simplified Chinese as written in the templates, English from a gettext catalogue.

The `.po` file is read at start: there is no compiled file that could be older than it.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from importlib.resources import files

from aiohttp import web
from babel.messages.pofile import read_po

CHINESE, ENGLISH = "zh", "en"
COOKIE = "daohu_lang"


class Catalogue(NullTranslations):
    """Translations read from a `.po` file; what is missing stays Chinese."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        return self._texts.get(message) or message

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)


@cache
def catalogue(language: str) -> Catalogue:
    """The texts of `language`; Chinese is the language of the templates and needs none."""
    if language == CHINESE:
        return Catalogue({})
    path = files("broadcaster.web").joinpath("locale", language, "LC_MESSAGES", "web.po")
    with path.open("rb") as file:
        return Catalogue({str(message.id): str(message.string) for message in read_po(file) if message.id})


def chosen(request: web.BaseRequest) -> str:
    """`?lang=` first, then what was chosen before, else Chinese."""
    wanted = request.query.get("lang") or request.cookies.get(COOKIE)
    return ENGLISH if wanted == ENGLISH else CHINESE
