"""The entry point of the zipapp. Says in one line what a host lacks; must parse on any Python 3."""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 - hosts are not ours
    sys.stderr.write("swarmlab agent: Python 3.9 or later is needed, this is %d.%d\n" % sys.version_info[:2])  # noqa: UP031
    sys.exit(3)
try:
    from swarmlab.agent.main import main
except ImportError as error:
    text = "swarmlab agent: Python module %s is missing: install python3 (not python3-minimal)\n"
    sys.stderr.write(text % error.name)
    sys.exit(3)
sys.exit(main())
