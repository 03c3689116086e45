"""The outside of the house: API, pages, callbacks, feeds and health over HTTP (aiohttp)."""
