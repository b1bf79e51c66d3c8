"""Where findings point to for how we know."""

from __future__ import annotations

ISSUE = "https://github.com/moby/moby/issues/"  # a number follows
