"""The fronts: each speaks one protocol, as its gateways do, before the same people, fates and record."""
