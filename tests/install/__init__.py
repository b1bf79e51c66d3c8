"""The built wheel, used where there is no checkout. Not among the default test paths: `make wheel-test` runs it."""
