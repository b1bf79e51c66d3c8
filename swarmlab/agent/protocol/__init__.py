"""The language between the program and its agents: one JSON object per line, a request down, one answer up, in order.

A request's `op` says what is wanted; its answer has the same `op`, or is `{"op": "error", "text": …}`. Every request is
a class that knows its operation and the class of its answer (`probing`, `mtu`, `wire`); each class says what its fields
mean, and beside each field stands what fits it (`bounds`). Both sides read and write with one codec (`codec`,
`message`), so there is nothing else to keep in step. The program sends the agent itself, so both always speak one
version.

The agent ends when its standard input ends, so it never outlives its SSH channel. Nothing but answers is ever written
to its standard output; complaints go to standard error.
"""
