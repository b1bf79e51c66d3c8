"""One file per verb. The only room that knows how providers, engines, scenarios and probes fit together."""
