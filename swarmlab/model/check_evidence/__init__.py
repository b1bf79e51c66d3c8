"""What checks show as their evidence: one frozen dataclass for each shape, which knows how to become JSON, and text.

What was measured (`model.evidence`, `model.mtu`, `model.wire`) is another thing: a check shows what of it supports the
verdict.
"""
