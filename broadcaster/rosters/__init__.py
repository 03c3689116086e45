"""Rosters under the rights of who keeps them: homes and their contacts, imports over the web, shifts, dead numbers."""
