"""``python -m modelrelease``."""

import sys

from modelrelease.cli.main import main

sys.exit(main())
