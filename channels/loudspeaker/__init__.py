"""Loudspeakers: the broadcast file and the drivers that have terminals play it."""
