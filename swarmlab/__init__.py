"""swarmlab builds a Docker Swarm on any hosts and proves who can talk to whom."""

__version__ = "0.1.0"
