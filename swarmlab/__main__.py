"""`python -m swarmlab`: the same as the command `swarmlab`."""

import sys

from swarmlab.cli.main import main

sys.exit(main())
