"""Alerts: the CAP 1.2 model with the house's kinds and colours, its lifecycle, rules and records."""
