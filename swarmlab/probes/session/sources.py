"""Where findings point to for how we know."""

from __future__ import annotations

# A number follows.
ISSUE = "https://github.com/moby/moby/issues/"
LIBNETWORK_ISSUE = "https://github.com/moby/libnetwork/issues/"
