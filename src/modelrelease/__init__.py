"""Software discipline for language-model checkpoints, prompts and test sets.

Importing this package imports nothing else: see docs and ``modelrelease --help``.
"""

__version__ = "0.1.0"
