"""Observers of one finished (or crashed) run: console, JSON, JUnit, HTML; and the progress line while it runs."""
