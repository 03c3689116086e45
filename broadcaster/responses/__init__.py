"""Responses: understanding what people answer and what it settles."""
