"""All stages of a proof, in the order in which they run. A new stage is one row here and one room beside it."""

from __future__ import annotations

from swarmlab.probes.clock.stage import Clock
from swarmlab.probes.mtu.stage import Mtu
from swarmlab.probes.network.stage import Network
from swarmlab.probes.publish.stage import Publish
from swarmlab.probes.stage import Stage
from swarmlab.probes.traffic.stage import Traffic
from swarmlab.probes.wire.stage import Wire

STAGES: tuple[Stage, ...] = (Traffic(), Network(), Publish(), Mtu(), Wire(), Clock())
