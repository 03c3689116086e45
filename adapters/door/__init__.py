"""Where instruments come in: a port on which many speak at a time, over TCP or UDP."""

from adapters.door.door import Conversation, Threshold, serve
from adapters.door.framer import Framer
from adapters.door.options import DoorOptions, read_options

__all__ = ["Conversation", "DoorOptions", "Framer", "Threshold", "read_options", "serve"]
