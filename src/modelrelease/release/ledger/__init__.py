"""The ledger's rules: how its events chain, and what they add up to. ``flows`` reads and writes it by ``git``."""
