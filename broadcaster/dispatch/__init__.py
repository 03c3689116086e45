"""Dispatch: who gets what by which channel, the ledger of it, and the couriers that carry it out."""
