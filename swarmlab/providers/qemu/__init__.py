"""Hosts as virtual machines, woken up from a saved state."""
