"""A small district, and three sources: one that only tells, one that drafts, one that drafts only what is signed."""

from __future__ import annotations

import pytest

from broadcaster.settings import Settings, settings_from
from tests.harness.web import DISTRICT
from tests.harness.web_fixtures import bells, context, district, make_web, web

__all__ = ["bells", "context", "district", "make_web", "web"]

SOURCES = [
    {"name": "teller", "kind": "cap", "trust": "notify"},
    {"name": "drafter", "kind": "cap", "trust": "draft", "codes": {"EMMA_ID CN330": "330212101"}},
    {"name": "national", "kind": "cn12379", "trust": "draft"},
    {"name": "caiyun", "kind": "caiyun", "trust": "notify", "push_token": "a token of ours"},
]


@pytest.fixture
def settings() -> Settings:
    return settings_from(
        {
            "district": {"code": DISTRICT, "name": "鄞州区"},
            "web": {"public_url": "http://127.0.0.1:8480"},
            "sources": SOURCES,
        }
    )
