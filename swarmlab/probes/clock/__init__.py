"""Stage clock: whether the hosts' clocks agree well enough for the certificates of a Swarm."""
