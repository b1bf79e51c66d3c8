"""Listeners, probes, name questions and sizes, and what each endpoint's own capture saw of them."""
