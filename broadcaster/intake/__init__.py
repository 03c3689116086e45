"""What other machines tell us: fetched, kept before anything else, judged, placed on our map, and brought before an
officer: as something to look at, or as a draft that only needs a look and a tap."""
