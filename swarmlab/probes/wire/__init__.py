"""Stage wire: what the underlay shows of each overlay."""
