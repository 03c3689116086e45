"""What a call says and hears: G.711 in RTP packets, paced for all calls at once, and the keys that are pressed."""
