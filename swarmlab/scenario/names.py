"""Names and limits that several files of this room share. Constants only, so that importing them costs nothing."""

from __future__ import annotations

STAND_IN_IMAGE = "swarmlab/stand-in:1"
BLOCK = "x-swarmlab"
DEFAULT_NETWORK = "default"

MAX_BYTES = 1024 * 1024  # of a scenario file, and of a rendered template
MAX_NODES = 50_000  # of a document, aliases expanded
MAX_DEPTH = 60  # of nested collections
MAX_PARTIES = 200  # services and standalone containers
MAX_EXPECTATIONS = 200_000
MAX_HOSTS = 20  # that a file may ask for; `--hosts` takes more

# What can be asked of a DNS server: labels of up to 63 characters. The engine takes more for an alias, but nobody could
# ask for it.
DNS_NAME = r"^[a-zA-Z0-9_-]{1,63}(\.[a-zA-Z0-9_-]{1,63}){0,3}$"
# Names of services, containers and local networks: one label (for services, Swarm says so).
LABEL = r"^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$"

# Networks that every engine has by itself: node-local, and out of reach of what a stack can declare.
PREDEFINED = frozenset({"host", "bridge", "none"})
# Drivers whose networks have scope local when `docker stack deploy` makes them: the engine refuses them to services.
LOCAL_DRIVERS = frozenset({"bridge", "host", "none", "null", "macvlan", "ipvlan"})
