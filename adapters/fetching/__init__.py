"""Getting documents from servers and folders that may be slow, broken or hostile: what all kinds of sources share.

A kind of source is a `Dialect`: where to ask, how to take an answer apart, what a message is worth. `DocumentSource`
does the rest. `Fetcher` alone talks to the network: bounded in time, size, redirects and in where it goes.
"""

from adapters.fetching.dialect import Ask, Dialect, Piece, Unpacked
from adapters.fetching.source import DocumentSource

__all__ = ["Ask", "Dialect", "DocumentSource", "Piece", "Unpacked"]
