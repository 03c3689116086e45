"""A session with a carrier's short message gateway, whatever its protocol: window, heartbeat, reports, replies."""
