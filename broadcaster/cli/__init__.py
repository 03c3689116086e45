"""The command `daohu`: one file per command. Commands import what they need when they run, so that help is instant."""

from broadcaster.cli.app import main

__all__ = ["main"]
