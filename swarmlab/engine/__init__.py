"""The Docker side of hosts, over their SSH connections: the only room that speaks to the engines of a lab's hosts."""
