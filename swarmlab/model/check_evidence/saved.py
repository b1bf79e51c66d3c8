"""Evidence of saved reports: which shapes each kind has, the usual one first.

A kind without a shape of its own needs no row here.
"""

from __future__ import annotations

from collections.abc import Mapping

from swarmlab.model.check_evidence.base import CheckEvidence, NothingMeasured, PlainEvidence
from swarmlab.model.check_evidence.mtu import NoTransferEvidence, SizeEvidence, TransferEvidence
from swarmlab.model.check_evidence.network import PropertyEvidence
from swarmlab.model.check_evidence.publish import MeshEvidence, PortEvidence
from swarmlab.model.check_evidence.traffic import BalanceEvidence, ExchangeEvidence, LookupEvidence
from swarmlab.model.check_evidence.wire import GuardedWireEvidence, WireEvidence
from swarmlab.model.kinds import Kind

SHAPES: Mapping[str, tuple[type[CheckEvidence], ...]] = {
    str(kind): shapes
    for kind, shapes in {
        Kind.REACH: (ExchangeEvidence,),
        Kind.SCOPE: (ExchangeEvidence,),
        Kind.VIP: (ExchangeEvidence, BalanceEvidence),
        Kind.NAME: (LookupEvidence,),
        Kind.NETWORK: (PropertyEvidence,),
        Kind.PUBLISH: (PortEvidence, MeshEvidence),
        Kind.MTU: (SizeEvidence, TransferEvidence, NoTransferEvidence),
        Kind.WIRE: (WireEvidence, GuardedWireEvidence),
    }.items()
}


def read(kind: str, data: Mapping[str, object]) -> CheckEvidence:
    """The evidence of a saved check, which may have been edited. An unknown kind keeps its values by name."""
    if not data:
        return NothingMeasured()
    usual, *others = SHAPES.get(kind, (PlainEvidence,))
    return next((shape for shape in others if shape.MARK in data), usual).from_json(data)
