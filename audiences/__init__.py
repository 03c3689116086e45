"""Audiences: regions, households, people, contacts, terminals and duties. The ground floor."""
