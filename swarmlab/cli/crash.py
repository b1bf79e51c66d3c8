"""Where the traceback of our own mistake goes: a file for its owner only, never the terminal."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from swarmlab import __version__
from swarmlab.errors import SwarmlabError

# Neither arguments nor environment are written: `--set` may hold a password.


def write_crash(error: BaseException) -> Path | None:
    """Write the traceback into SWARMLAB_HOME, or else the temporary directory; None when neither can be written."""
    head = f"swarmlab {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    text = head + "".join(traceback.format_exception(error))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for directory in (_home(), None):
        try:
            handle, path = tempfile.mkstemp(prefix=f"crash-{stamp}-", suffix=".txt", dir=directory)  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(path)
        except OSError:
            continue
    return None


def _home() -> Path | None:
    from swarmlab.lab.home import home

    try:
        return home()
    except (SwarmlabError, RuntimeError):  # RuntimeError: no home directory can be determined
        return None
