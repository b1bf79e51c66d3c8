"""The packets that hosts captured, kept as files for `--pcap DIR`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from swarmlab.events import Bus

PCAP_BYTES = 2 * 1024 * 1024  # of packets that each host keeps


def keep(directory: Path, pcaps: Mapping[str, bytes], bus: Bus) -> None:
    """For their owner only: what passed in clear can be read there. A full disk must not cost the proof."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for host, data in pcaps.items():
            path = directory / f"{host}.pcap"
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_bytes(data)
    except OSError as error:
        bus.warn(f"--pcap {directory}: the captures could not be written: {error.strerror}")
