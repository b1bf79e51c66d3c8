"""Names and limits that several files of this room share. Constants only, so that importing them costs nothing."""

from __future__ import annotations

STAND_IN_IMAGE = "swarmlab/stand-in:1"
BLOCK = "x-swarmlab"
DEFAULT_NETWORK = "default"
GATEWAY_BRIDGE = "docker_gwbridge"

MAX_BYTES = 1024 * 1024  # of a scenario file, and of a rendered template
MAX_NODES = 50_000  # of a document, aliases expanded
MAX_DEPTH = 60  # of nested collections
MAX_PARTIES = 200  # services and standalone containers
MAX_EXPECTATIONS = 200_000
MAX_HOSTS = 20

# Networks that every engine has by itself: node-local, and out of reach of what a stack can declare.
PREDEFINED = frozenset({"host", "bridge", "none"})
# Drivers whose networks have scope local when `docker stack deploy` makes them: the engine refuses them to services.
LOCAL_DRIVERS = frozenset({"bridge", "host", "none", "null", "macvlan", "ipvlan"})
