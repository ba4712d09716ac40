"""Releases: promote, roll back, revoke, verify. ``promote`` tells the story; the rest are its parts."""
