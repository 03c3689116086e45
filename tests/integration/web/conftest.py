"""The application with a small district behind it."""

from __future__ import annotations

from tests.harness.web_fixtures import bells, context, district, make_web, settings, web

__all__ = ["bells", "context", "district", "make_web", "settings", "web"]
