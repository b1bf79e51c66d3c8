"""Stage publish: published ports as seen from outside, and virtual addresses that reach every task."""
