"""Every module that has pages, in the order of the navigation: the one place where a new one is named.

A module has `routes`, and a `SECTION` where its first page stands in the navigation.
"""

from __future__ import annotations

from types import ModuleType

from aiohttp import web

from broadcaster.web.pages import (
    account,
    accounts,
    actions,
    audience,
    audit,
    compose,
    compose_parts,
    console,
    dead,
    desk,
    doors,
    doors_page,
    duties,
    gateways,
    households,
    imports,
    incoming,
    live_page,
    message_templates,
    own,
    policies,
    public,
    reply,
    report_page,
    reports,
    review,
    rules,
    second_step,
    signing,
    sources,
    stations,
    subscribers,
    tokens,
    unreached_page,
)
from broadcaster.web.pages.frame import SECTIONS, Section

PAGES: tuple[ModuleType, ...] = (
    signing,
    second_step,
    own,
    console,
    live_page,
    unreached_page,
    doors_page,
    report_page,
    desk,
    compose_parts,
    compose,
    actions,
    review,
    incoming,
    audience,
    households,
    imports,
    dead,
    duties,
    gateways,
    sources,
    subscribers,
    stations,
    rules,
    message_templates,
    policies,
    accounts,
    account,
    tokens,
    audit,
    reply,
    doors,
    public,
    reports,
)


def sections() -> tuple[Section, ...]:
    """The sections of the console."""
    return tuple(page.SECTION for page in PAGES if hasattr(page, "SECTION"))


def add_pages(app: web.Application) -> None:
    """Have the application answer for every page; what a page keeps in it is made by its `prepare`."""
    app[SECTIONS] = sections()
    for page in PAGES:
        app.add_routes(page.routes)
