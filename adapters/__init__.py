"""Adapters: one package per kind of machine we listen to or publish to."""
