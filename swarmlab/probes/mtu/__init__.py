"""Stage mtu: how large packets may be."""
