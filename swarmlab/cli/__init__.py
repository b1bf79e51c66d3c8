"""Commands: parse, call the lab, render. Nothing is decided here."""
