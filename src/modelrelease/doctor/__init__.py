"""What of the kit is set up and what not: facts in, answers out. Pure."""
