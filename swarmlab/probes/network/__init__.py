"""Stage network: whether each host's engine has the networks that the file declares."""
