"""A version's README.md as text: the front matter, the part between our markers, and what people wrote. Pure."""
