"""Hosts over SSH: one (`Remote`) or many (`fan_out`). The only room that knows Fabric and paramiko."""

from swarmlab.remote.channel import Session
from swarmlab.remote.fan_out import fan_out
from swarmlab.remote.keys import KeyTexts, make_host_key, make_keypair
from swarmlab.remote.remote import Ran, Remote
from swarmlab.remote.wait import until

__all__ = ["KeyTexts", "Ran", "Remote", "Session", "fan_out", "make_host_key", "make_keypair", "until"]
