"""GD/J 089: loudspeaker terminals of the emergency broadcast system, which dial in to us over TCP."""

from channels.loudspeaker.terminal_tcp.driver import TerminalPlugin

plugin = TerminalPlugin()

__all__ = ["plugin"]
