"""Schema changes of the core, in order. Records by operations, load-carrying tables by SQL files."""
