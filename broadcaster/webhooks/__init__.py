"""Machines that subscribe to our alerts: each is told of every one as it is issued, signed, at least once."""
