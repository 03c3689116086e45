"""Sound that we play ourselves, in real time: what the plain audio lines share (RTP, Icecast, ONVIF)."""
