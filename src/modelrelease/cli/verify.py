"""Hold a released version, where it is published, against what was released: by digests, not by names."""

from __future__ import annotations

import argparse
import json

from modelrelease.cli.common import add_config
from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import doer_of, grounds_of

EXAMPLE = "modelrelease verify model_v1.1 --download"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("version", metavar="VERSION", help="a version that was released")
    add_config(parser)
    parser.add_argument("--download", action="store_true", help="read every byte, instead of the target's own digests")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Verify; exit 1 where something is not as released."""
    from modelrelease.errors import Refused
    from modelrelease.flows.release.verify import verify_version
    from modelrelease.reports.release import verified_text

    grounds = grounds_of(arguments.config)
    found = verify_version(grounds, arguments.version, doer_of(grounds.project), download=arguments.download)
    if arguments.json:
        document = {
            "version": found.release.receipt.version,
            "commit": found.release.commit,
            "digest": found.release.receipt.model_digest,
            "live": found.live,
            "findings": [str(finding) for finding in found.findings],
        }
        say_json((json.dumps(document, indent=2, sort_keys=True) + "\n").encode("utf-8"))
        return 1 if found.findings else 0
    if found.findings:
        raise Refused(found.findings)
    version, files = found.release.receipt.version, len(found.release.facts.files)
    say(verified_text(version, found.address, found.release.commit, files, live=found.live))
    return 0
