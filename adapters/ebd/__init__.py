"""应急广播: what a platform above has us broadcast, as messages of a source; `kind = "ebd"`."""

from adapters.ebd.source import plugin

__all__ = ["plugin"]
