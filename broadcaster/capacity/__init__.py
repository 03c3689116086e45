"""Capacity: how long an alert will take with the configured gateways, and what the limit is, before it is issued.

`planner` asks the database and the settings; `forecast` is arithmetic; `findings` says what is worth a warning.
"""
