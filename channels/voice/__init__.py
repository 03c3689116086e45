"""Voice: spoken calls and the drivers that place them."""
