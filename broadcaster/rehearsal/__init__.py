"""The rehearsal: a virtual district of carriers, terminals and residents in its own process."""
