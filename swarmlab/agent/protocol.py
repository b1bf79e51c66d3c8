"""The language between the program and its agents: one JSON object per line, a request down, one answer up, in order.

An answer has the request's `op`, or `{"op": "error", "text": …}`. The agent ends when its standard input ends, so an
agent never outlives its SSH channel. Nothing else is ever written to its standard output; complaints go to standard
error.

hello   {"op": "hello"}
        -> {"op": "hello", "version": 1, "python": "3.11.2", "kernel": "6.1.0-…", "lacks": ["ip_vs"], "nofile": 20000}
open    {"op": "open", "run": "<16 hex digits>", "port": 41000,
         "endpoints": [{"id": "api.1", "pid": 812, "container": "<64 hex>", "path": "", "extra_ports": [5432]}]}
        Enters each endpoint's namespace (`pid`, which must belong to `container` where one is given; else `path`; else
        the
        agent's own), opens a TCP and a UDP listener on `port` on every address, opens `extra_ports` where they are
        free, and a
        capture (AF_PACKET, filtered to this run's port, extra ports, ICMP echo and ARP; bounded buffer) that sees both
        directions.
        An endpoint's `buffer` (bytes) overrides the size of its capture; `watched` are ports that it captures without
        listening there.
        -> {"op": "open", "endpoints": [{"id": "api.1", "error": "", "interfaces": {"eth0": ["10.0.1.3/24"]},
            "extra_ports": {"5432": "ours"}}]}
        `error` is "" or one of: "gone: …" (no such process or namespace, or not that container's), "port_taken: …",
        "failed: …".
        A value of `extra_ports` is "ours" (we listen) or "taken" (an application does; it will be probed instead).
fire    {"op": "fire", "timeout": 2.0,
         "probes": [{"id": 7, "from": "api.1", "protocol": "tcp", "address": "10.0.1.4", "port": 41000}],
         "names": [{"id": 3, "from": "api.1", "name": "db", "accepted": [["10.0.2.3"]]}]}
        Fires everything at once against one deadline; returns as soon as all are settled, at the deadline otherwise.
        UDP and
        ICMP requests without an answer are sent again, at least twice, before the deadline. A name with `accepted` sets
        is asked
        again until one of them equals the answer or the deadline passes; one without is asked until any answer comes.
        `server` on a
        name asks another server than 127.0.0.11.
        -> {"op": "fire", "probes": [{"id": 7, "outcome": "answered", "responder": "db.1", "latency_ms": 0.21, "sport":
        50122,
            "left": true, "asked": null, "via": "eth0", "sends": 1, "lost_records": 0, "detail": ""}],
            "names": [{"id": 3, "outcome": "answered", "rcode": "NOERROR", "addresses": ["10.0.2.3"], "latency_ms": 0.4,
            "sends": 1}]}
        `outcome` is a value of swarmlab.model.evidence.Outcome. `responder` is the endpoint id that the answer itself
        named
        ("" for ICMP and for applications). `left`, `asked`, `via` are looked up in the capture for unanswered probes
        only
        (for an answered one `left` is true). A TCP connection to another port than the run's that was accepted, after
        which nothing came
        for a moment, is `answered` with the `detail` SILENT: the kernel accepts for whoever listens, also for one who
        never looks.
seen    {"op": "seen", "probes": [{"id": 7, "target": "db.1", "protocol": "tcp", "port": 41000, "sport": 50122}]}
        What these targets' captures saw of requests that other agents sent (asked only for the unanswered ones, and for
        ICMP).
        This ends a round: it is asked of all agents after a batch and before the next `fire`, or `open` follows with a
        new run.
        UDP and ICMP are recognised by the nonce in the payload, TCP by source and destination port together.
        -> {"op": "seen", "probes": [{"id": 7, "seen": true, "answer_left": false, "lost_records": 0}],
            "listeners": {"db.1": ""}}  each listener's state now: "" alive, else why not (the agent connects to it from
            within)
mtu     {"op": "mtu", "timeout": 2.0, "trials": [{"id": 0, "from": "api.1", "address": "10.0.1.4", "bulk": 262144}]}
        Per trial, at once: datagrams with DF, of the size of the MTU of the interface by which they leave and small
        ones, to the
        run's UDP port; when the full size is lost three times, the sizes in between. `bulk`, where it is not 0: so many
        bytes to the
        run's TCP port, and a few bytes beside them. Returns as soon as all are settled: after `timeout`, or a transfer
        that has
        not moved for so long; at four time-outs, when one still moves. Without trials only the counters are told.
        -> {"op": "mtu", "trials": [{"id": 0, "error": "", "interface": "eth0", "mtu": 1450, "small": true, "full":
        true,
            "largest": 1450, "exact": true, "tries": 1, "responder": "db.1", "detail": "", "bulk": [{"size": 64,
            "outcome": "answered",
            "responder": "db.1", "moved": 64, "ms": 0.6, "idle_ms": null, "detail": ""}, {"size": 262144, …}]}],
            "fragments": {"arrived": 0, "made": 0}}
        Sizes are those of IPv4 packets. `largest` passed; `exact`: one byte more did not, or the interface has no room
        for it.
        `moved` is what the other side's kernel acknowledged, `idle_ms` how long ago the last of it. `fragments`: the
        host's counters
        since it booted.
close   {"op": "close"} -> {"op": "close"}: every socket closed; `open` may follow again.

The wire has operations of its own, independent of those above:

wire_start {"op": "wire_start", "data_port": 4789, "port": 24000, "mark": "swlb0a1b2c3d", "canaries": {"c1": "<mark><16
hex digits>"},
         "budget": 8388608, "film": 0, "endpoints": [{"id": "api.1", "pid": 812, "container": "<64 hex>", "path": ""}]}
        Captures the agent's own namespace, both directions, all that is not TCP, into a ring of `budget` bytes, and
        reduces it as it
        passes; `pcap_bytes` is how many bytes of packets are kept as a pcap file. In each endpoint's namespace it
        watches for canaries
        that arrive on UDP `port`.
        -> {"op": "wire_start", "error": "", "ring_bytes": 8388608, "interfaces": {"eth0": ["172.30.0.2/24"]},
            "endpoints": [{"id": "api.1", "error": "", "hardware": {"10.0.1.3": "02:42:0a:00:01:03"}}]}
wire_send  {"op": "wire_send", "sends": [{"from": "api.1", "address": "10.0.1.4", "payload": "GET /<canary> …", "times":
3}]}
        -> {"op": "wire_send", "errors": [""]}  datagrams from an endpoint to UDP `port`; for each entry "" or why not
wire_look  {"op": "wire_look"} -> {"op": "wire_look", "left": ["c1"], "arrived": {"db.1": {"c1": 3}}}
        Canaries read in clear as they left this host, and canaries that arrived in endpoints, so far.
wire_inject {"op": "wire_inject", "frames": [{"peer": "172.30.0.3", "data_port": 4789, "vni": 4097, "from_hardware":
"02:42:0a:00:01:03",
         "to_hardware": "02:42:0a:00:01:04", "from_address": "10.0.1.3", "to_address": "10.0.1.4", "port": 24000,
         "payload": "…", "times": 3}]}
        -> {"op": "wire_inject", "errors": [""]}  a VXLAN frame in clear, past this host's own packet filter and IPsec
wire_stop  {"op": "wire_stop"}
        -> {"op": "wire_stop", "packets": 120, "drops": 0, "uncounted": 0, "complete": true,
            "counts": [{"interface": "eth0", "outgoing": true, "from": "172.30.0.2", "to": "172.30.0.3", "kind": "esp",
                        "number": 3735928559, "packets": 3}],
            "canaries": [{…as in counts…, "canary": "c1", "packets": 3, "excerpt": "GET /… HTTP/1.1"}],
            "arrived": {"db.1": {"c1": 3}}, "deaf": {}, "film": "<pcap in base64>", "left_out_of_film": 0}
        `kind` is esp (`number`: SPI), vxlan (VNI), fragment or other (IP protocol). With `drops`, `uncounted` or
        without `complete`, an
        absence proves nothing. `deaf` has what watched endpoints' captures dropped. Endpoints stay watched until the
        next `wire_start`.
wire_state {"op": "wire_state", "vnis": [4097], "forms": []}
        -> {"op": "wire_state", "time": 12.3, "states": [{"src", "dst", "spi", "reqid", "bytes", "packets"}],
            "policies": [{"src", "dst", "dport", "protocol", "direction", "mark", "spi", "reqid"}],
            "xfrm_error": "", "refusals": {"XfrmInNoStates": 1},
            "rules": [{"form": "nft", "table": "mangle", "chain": "OUTPUT", "place": 1, "vni": 4097, "target": "MARK",
            "mark": 13681891,
                       "dport": 4789, "packets": 3, "bytes": 400}], "forms": ["nft"], "errors": []}
        With `forms` only those listings of rules are read. Keys of associations are never taken out of what the kernel
        answers.

The nonce is 16 bytes: MAGIC, the run's 8 bytes, the probe's id in 4, big-endian. It is the payload of UDP and ICMP
requests and what a TCP client sends first. An answer is ANSWER, the run, the id, then the responder's endpoint id in
UTF-8. A datagram may be longer than its nonce: the answer is as short as ever. A TCP client that begins with BULK in
place of MAGIC and a number of bytes in place of the id sends so many bytes, and is answered when all have come.
"""

from __future__ import annotations

import struct

VERSION = 1
MAGIC = b"SWLB"
ANSWER = b"SWLA"
BULK = b"SWLK"
BULK_MAX = 16 * 1024 * 1024  # bytes of one transfer
SPORT_FIRST, SPORTS = 20000, 40000  # where the source ports of TCP probes come from
SILENT = "the connection was accepted, and nothing was said"
MAX_LINE = 32 * 1024 * 1024  # bytes: no request or answer of an honest peer is longer


def nonce(run: str, probe: int, magic: bytes = MAGIC) -> bytes:
    """The request's payload.

    >>> nonce("00" * 8, 7).hex()
    '53574c42000000000000000000000007'
    """
    return magic + bytes.fromhex(run) + struct.pack("!I", probe)


def sport_offset(run: str, batch: int) -> int:
    """Probe `id` of a run's batch (1 is the first after `open`) comes from SPORT_FIRST + (id + offset) % SPORTS, if
    that port is free.

    It moves from run to run and batch to batch: connection tracking must not answer from what it remembers.
    """
    return (int(run, 16) + batch * 5003) % SPORTS


def answer(run: str, probe: int, endpoint: str) -> bytes:
    """What a listener answers: it names itself."""
    return ANSWER + nonce(run, probe)[4:] + endpoint.encode()


def read_nonce(data: bytes, run: str, magic: bytes = MAGIC) -> tuple[int, str] | None:
    """Probe id and the text behind it, or None when `data` is not of this run.

    >>> read_nonce(answer("00" * 8, 7, "db.1"), "00" * 8, ANSWER)
    (7, 'db.1')
    """
    if len(data) < 16 or data[:4] != magic or data[4:12] != bytes.fromhex(run):
        return None
    return struct.unpack("!I", data[12:16])[0], data[16:].decode("utf-8", "replace")
