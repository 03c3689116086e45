"""Errands: what somebody asks for in the console that takes longer than a page; a worker does it piece by piece."""
