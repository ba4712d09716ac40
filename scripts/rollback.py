#!/usr/bin/env python3
"""`modelrelease rollback` from a clone, without installing it: the dependencies have to be there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from modelrelease.cli.main import main  # the path comes first

sys.exit(main(["rollback", *sys.argv[1:]]))
