"""The underlay captured while canaries pass, and frames forged."""
