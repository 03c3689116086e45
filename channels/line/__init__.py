"""The rehearsal line: the wire protocol that rehearsal drivers speak, and the connection they share."""
