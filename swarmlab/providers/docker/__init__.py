"""Hosts as containers on the local Docker Engine."""
