"""Evidence as labelled lines for a person: what left, what arrived, and the controls that make silence mean
something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarmlab.reports.as_json import plain

# Told together, in the order in which a packet meets them; the rest is shown key by key.
TOLD = (
    "outcome",
    "responder",
    "detail",
    "left",
    "asked",
    "via",
    "sends",
    "seen",
    "answer_left",
    "lost_records",
    "controls",
)
EMPTY: tuple[object, ...] = (None, "", [], {}, ())


def evidence_rows(evidence: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Label and value; "not known" is said, since it is not "no"."""
    if "outcome" in evidence:
        yield "outcome", _outcome(evidence)
    if "left" in evidence:
        yield "left", _left(evidence)
    if "seen" in evidence:
        yield "arrived", f"{known(evidence['seen'])}; answer left: {known(evidence.get('answer_left'))}"
    if evidence.get("lost_records"):
        yield "captures", f"dropped {evidence['lost_records']} packets"
    for key, value in evidence.items():
        if key not in TOLD and value not in EMPTY:
            yield str(key).replace("_", " "), flat(plain(value))
    yield from (("control", row) for row in _controls(evidence.get("controls")))


def known(value: object) -> str:
    """Yes, no, or not known.

    >>> known(True), known(False), known(None)
    ('yes', 'no', 'not known')
    """
    return (
        {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else "not known"
        if value is None
        else str(value)
    )


def _outcome(evidence: Mapping[str, object]) -> str:
    by = f" by {evidence['responder']}" if evidence.get("responder") else ""
    detail = f" ({evidence['detail']})" if evidence.get("detail") else ""
    return f"{str(evidence['outcome']).replace('_', ' ')}{by}{detail}"


def _left(evidence: Mapping[str, object]) -> str:
    asked = (
        "only its question for a hardware address"
        if evidence.get("asked") and not evidence["left"]
        else known(evidence["left"])
    )
    via = f" via {evidence['via']}" if evidence.get("via") else ""
    sends = f", sent {evidence['sends']} times" if evidence.get("sends") else ""
    return f"{asked}{via}{sends}"


def _controls(controls: object) -> Iterator[str]:
    for control in controls if isinstance(controls, list | tuple) else []:
        if isinstance(control, Mapping) and "proves" in control:
            outcome = str(control.get("outcome", "")).replace("_", " ")
            yield f"{control['proves']}: {control.get('probe', '')} {outcome}".rstrip()
        else:
            yield flat(plain(control))


def flat(value: object) -> str:
    """Nested values on one line.

    >>> flat({"rx_packets": 3, "peers": ["a", "b"], "none": None})
    'rx packets 3; peers a, b'
    """
    if isinstance(value, Mapping):
        shown = [(key, item) for key, item in value.items() if item not in EMPTY]
        return "; ".join(f"{str(key).replace('_', ' ')} {flat(item)}" for key, item in shown)
    return ", ".join(flat(item) for item in value) if isinstance(value, list | tuple) else known(value)
