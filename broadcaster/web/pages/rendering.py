"""Pages from Jinja2 templates, in two languages; every value is escaped, times are Beijing's."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from broadcaster.clock import BEIJING
from broadcaster.phrase import said
from broadcaster.retelling import retold
from broadcaster.web.context import CONTEXT
from broadcaster.web.language import CHINESE, COOKIE, catalogue, chosen
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.words import WORDS
from broadcaster.web.problems import Problem
from broadcaster.web.static_files import asset

_YEAR = 365 * 24 * 3600


@cache
def environment(language: str) -> Environment:
    """The templates of `templates/console` and `templates/public` in one language."""
    made = Environment(
        loader=FileSystemLoader(str(files("templates"))),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = catalogue(language)
    made.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    made.globals["asset"] = asset
    made.globals["words_said"] = WORDS["said"]
    made.filters["translated"] = partial(said, texts=texts)
    made.filters["told"] = partial(retold, texts=texts)
    made.filters["beijing"] = _beijing
    made.filters["moment"] = _moment
    made.filters["day"] = _day
    made.filters["number"] = _number
    made.filters["word"] = lambda code, of: texts.pgettext(of, WORDS[of].get(str(code), str(code)))
    return made


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """The template as a response, in the language that the reader chose."""
    language = chosen(request)
    if isinstance(form := values.get("form"), Form):
        values["form"] = form.said(catalogue(language))
    text = (
        environment(language)
        .get_template(template)
        .render(
            language=language,
            html_language="zh-Hans" if language == CHINESE else "en",
            district=request.app[CONTEXT].settings.district.name,
            path=request.path,
            **values,
        )
    )
    response = web.Response(status=status, text=text, content_type="text/html")
    response.headers["Vary"] = "Cookie"
    if "lang" in request.query:
        response.set_cookie(COOKIE, language, max_age=_YEAR, samesite="Lax", httponly=True)
    return response


def error_page(request: web.Request, problem: Problem) -> web.Response:
    """What went wrong, in words."""
    outside = request.path.startswith(("/r/", "/a/"))  # residents and responsible people, who have no console
    template = "public/refused.html" if outside else "console/error.html"
    return page(request, template, status=problem.status, problem=problem)


def _beijing(at: datetime | None) -> str:
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S") if at else ""


def _moment(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _day(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d")


def _number(value: int) -> str:
    return f"{value:,}"
