"""A tiny name server at 127.0.0.11:53, whose answer depends on the name: run inside a namespace."""

from __future__ import annotations

import socket
import struct
import threading

SERVER = ("127.0.0.11", 53)
MANY = [f"10.9.0.{i}" for i in range(1, 61)]
asked: dict[bytes, int] = {}


def records(addresses: list[str]) -> bytes:
    """A records whose owner points back to the question."""
    return b"".join(struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(a) for a in addresses)


def reply(query: bytes, rcode: int, addresses: list[str], flags: int = 0x8180, ident: int = 0) -> bytes:
    """An answer to `query`."""
    number = struct.unpack_from("!H", query)[0] ^ ident
    return struct.pack("!6H", number, flags | rcode, 1, len(addresses), 0, 0) + query[12:] + records(addresses)


def answers(query: bytes) -> list[bytes]:
    """What is sent back by UDP, in order."""
    name = query[13 : 13 + query[12]]
    asked[name] = asked.get(name, 0) + 1
    table = {
        b"db": [reply(query, 0, ["10.0.2.3"])],
        b"pair": [reply(query, 0, ["10.0.2.4", "10.0.2.3"])],
        b"nobody": [reply(query, 3, [])],
        b"broken": [reply(query, 2, [])],
        b"silent": [],
        b"forged": [reply(query, 0, ["6.6.6.6"], ident=1), b"\\xc0" * 40, query],
        b"big": [reply(query, 0, [], 0x8380)],
        b"slow": [reply(query, 0, ["10.0.2.3"] if asked[name] > 2 else ["10.0.2.9"])],
    }
    return table.get(name, [])


def streams(server: socket.socket) -> None:
    """TCP: only "big" is asked there."""
    while True:
        client, _ = server.accept()
        query = client.recv(512)[2:]
        message = reply(query, 0, MANY)
        client.sendall(struct.pack("!H", len(message)) + message[:100])
        client.sendall(message[100:])
        client.close()


def main() -> None:
    """Serve for ever."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(SERVER)
    threading.Thread(target=streams, args=(socket.create_server(SERVER),), daemon=True).start()
    print("up", flush=True)
    while True:
        query, client = datagrams.recvfrom(512)
        for message in answers(query):
            datagrams.sendto(message, client)


if __name__ == "__main__":
    main()
