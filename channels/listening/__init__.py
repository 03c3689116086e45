"""What channels share whose gateways or terminals open connections to us: port, visitors, frames of a stream."""
