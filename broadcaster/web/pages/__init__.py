"""Pages for people: signing in, the alerts and how far they have come, and the page behind a reply link."""
