"""Channels: one package per medium; each ends at a person and yields receipts."""
