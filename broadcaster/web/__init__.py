"""The aiohttp application: API, public pages, callbacks and status page."""
