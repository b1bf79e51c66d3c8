"""What all stages share: the link to agents, the bundle that they are sent as, the survey, a round of probing."""
