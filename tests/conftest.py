"""For all tests: none fails because the machine is busy or the tests run in the background; machines' images are made
once.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from swarmlab.lab import home
from swarmlab.providers import get

settings.register_profile("noisy", deadline=None)
settings.load_profile("noisy")
# Whom a shell starts in the background has SIGINT ignored, and so would every program that the tests start, for good.
signal.signal(signal.SIGINT, signal.default_int_handler)

VM = "SWARMLAB_TEST_VM"


@pytest.fixture(scope="session")
def machine_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where machines' images are: the user's own, or one directory for all tests. Skips where machines cannot be made
    or are not wanted.
    """
    if os.environ.get(VM) == "0":
        pytest.skip(f"{VM}=0: no machines")
    if problems := get("qemu").fitness():
        text = "; ".join(f"{problem.text} ({problem.fix})" for problem in problems)
        pytest.fail(text) if os.environ.get(VM) == "1" else pytest.skip(text)
    fresh, users = tmp_path_factory.mktemp("images"), home.home() / "images"
    # What is built is moved there in one step, which one file system only can do.
    return users if users.is_dir() and users.stat().st_dev == fresh.stat().st_dev else fresh
