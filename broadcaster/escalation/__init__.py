"""Escalation: what happens to a unit that stays silent."""
