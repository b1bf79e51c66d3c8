"""The Docker side of hosts, over the SSH connection that is there anyway. The only room that speaks to the engines of
hosts.
"""
