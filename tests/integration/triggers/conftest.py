"""Sensors and rules over a real database with a small district."""

from tests.harness.web_fixtures import bells, context, district, make_web, settings, web

__all__ = ["bells", "context", "district", "make_web", "settings", "web"]
