"""Providers that are called over HTTPS: one driver for all of them; what differs is a small `Provider`."""
