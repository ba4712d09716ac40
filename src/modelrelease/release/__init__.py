"""Versions: their names and order, what is live, and what a pull request asks to be compared with it."""
