"""Release a version: verify, score, decide, publish, and let the stage name it; once, however often it is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config
from modelrelease.cli.consent import announce_on_github, approvals_of, refuse_taken_on_github
from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import doer_of, grounds_of, refuse_lost_folder, tell
from modelrelease.cli.score import add_numerics, bare_surroundings, options_of, surroundings_of

if TYPE_CHECKING:
    from modelrelease.flows.card import Written
    from modelrelease.flows.release.grounds import Grounds, Released
    from modelrelease.flows.release.promote import Promotion
    from modelrelease.flows.release.subject import Subject

EXAMPLE = "modelrelease promote model_v1.1 --plan"
RELEASES = ".modelrelease/releases"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("version", metavar="VERSION", help="a version whose tag is checked out, such as model_v1.1")
    add_config(parser)
    plan = "show the steps and what is done of them; change nothing; exit 1 where one is blocked"
    parser.add_argument("--plan", action="store_true", help=plan)
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"where results are kept (default: {RELEASES}/VERSION)")
    apart = parser.add_mutually_exclusive_group()
    apart.add_argument("--decide", action="store_true", help="score and decide only; publish in another job")
    apart.add_argument("--decided", type=Path, metavar="DIR", help="take what another job scored into DIR")
    parser.add_argument("--digest", metavar="SHA256", help="the checkpoint's digest that was decided on, to hold it to")
    parser.add_argument(
        "--environment",
        metavar="NAME",
        help="the GitHub environment whose approvals count (default: any)",
    )
    parser.add_argument(
        "--take-over", action="store_true", help="do not wait for another version's promotion that was not finished"
    )
    add_numerics(parser)
    parser.add_argument("--json", action="store_true", help="print the plan, the decision or the event as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Promote; exit 0 when the stage names the version, 1 where the gate or an integrity check says no."""
    from dataclasses import replace

    from modelrelease.flows.release.subject import open_subject
    from modelrelease.flows.weights import Weights

    grounds = grounds_of(arguments.config)
    weights = replace(Weights.of(bare_surroundings()), remembers=False)
    subject = open_subject(grounds, arguments.version, weights)
    if arguments.digest is not None:
        _hold_to(subject, arguments.digest)
    if arguments.plan:
        return _plan(subject, arguments)
    if arguments.decide:
        return _decide(subject, arguments)
    return _promote(subject, arguments)


def _hold_to(subject: Subject, digest: str) -> None:
    """What another job decided on is what is published, or nothing is."""
    from modelrelease.codes import Code
    from modelrelease.errors import Finding, Refused, shorten

    if digest != subject.digest:
        message = f"is {subject.digest[:12]}, and {shorten(digest, 12)} was decided on"
        todo = "run the whole workflow again"
        raise Refused(Finding(f"{subject.folder}/checkpoint", Code.CHECKPOINT_FILES, message, todo))


def _out(grounds: Grounds, subject: Subject, chosen: Path | None) -> Path:
    from modelrelease.flows.score import keep_from_git, refuse_links

    if chosen is not None:
        return chosen.absolute()
    place = grounds.project.root / RELEASES / subject.version
    refuse_links(grounds.project.root, place)
    keep_from_git(grounds.project.root)
    return place


def _plan(subject: Subject, arguments: argparse.Namespace) -> int:
    from modelrelease.flows.release.plan import plan_promotion
    from modelrelease.reports.release import plan_text

    refuse_lost_folder(subject.grounds)
    kept = arguments.decided or arguments.out or subject.grounds.project.root / RELEASES / subject.version
    plan = plan_promotion(subject, doer_of(subject.grounds.project), _texts(), kept.absolute())
    if arguments.json:
        say_json(plan.to_bytes())
    else:
        say(plan_text(plan))
    return 1 if plan.blocked else 0


def _texts() -> Written:
    from modelrelease.flows.card import Written
    from modelrelease.reports.version_card import card_section
    from modelrelease.reports.version_changelog import changelog

    return Written(card_section, changelog)


def _decide(subject: Subject, arguments: argparse.Namespace) -> int:
    from modelrelease.flows.release.decide import blocked, decide, keep
    from modelrelease.flows.release.grounds import live
    from modelrelease.flows.release.preconditions import released_before
    from modelrelease.flows.release.score import score_release
    from modelrelease.reports.release import event_text
    from modelrelease.reports.terminal import comparison_table

    grounds = subject.grounds
    ledger = grounds.ledger()
    known = released_before(subject, ledger, grounds.config.release.target)
    if known is not None:  # it is verified and staged again: nothing has to be decided
        if arguments.json:
            say_json(known.receipt.to_bytes())
        else:
            say(f"{event_text(known.receipt)}: nothing has to be decided\n")
        return 0
    out = _out(grounds, subject, arguments.out)
    before = live(ledger, grounds)
    doer = doer_of(grounds.project)
    accepted = ledger.state.accepted(subject.version, subject.digest, doer.now()[:10])
    sides = score_release(subject, before, options_of(arguments), surroundings_of(grounds.project.root), out)
    comparison = decide(subject, before, sides, accepted)
    keep(comparison, out)
    if arguments.json:
        say_json(comparison.to_bytes())
    else:
        say(comparison_table(comparison))
    if comparison.decision != "promote":
        raise blocked(subject, comparison)
    return 0


def _promote(subject: Subject, arguments: argparse.Namespace) -> int:
    from modelrelease.flows.release.decide import Blocked
    from modelrelease.flows.release.promote import promote
    from modelrelease.reports.release import promoted_text
    from modelrelease.reports.terminal import comparison_table

    refuse_lost_folder(subject.grounds)
    how = _how(subject, arguments)
    try:
        done = promote(subject, how)
    except Blocked as error:
        if not arguments.json:
            say(comparison_table(error.comparison))
        raise
    if arguments.json:
        receipts = subject.grounds.ledger().state.released
        event = done.event or receipts[subject.grounds.config.release.target, done.version]
        say_json(event.to_bytes())
        return 0
    if done.comparison is not None:
        say(comparison_table(done.comparison) + "\n")
    stage = subject.grounds.config.release
    say(promoted_text(done.version, done.published.commit, done.event, stage.target, stage.stage))
    return 0


def _how(subject: Subject, arguments: argparse.Namespace) -> Promotion:
    from modelrelease.flows.release.promote import Promotion
    from modelrelease.flows.release.score import Sides, read_sides, score_release

    root = subject.grounds.project.root
    decided = arguments.decided.absolute() if arguments.decided is not None else None
    out = decided or _out(subject.grounds, subject, arguments.out)

    def sides(subject: Subject, before: Released | None) -> Sides:
        if decided is not None:
            return read_sides(subject, before, decided)
        tell(f"scoring {subject.version}" + (f" and {before.receipt.version}" if before is not None else ""))
        return score_release(subject, before, options_of(arguments), surroundings_of(root), out)

    return Promotion(
        doer=doer_of(subject.grounds.project),
        out=out,
        sides=sides,
        texts=_texts(),
        approve=lambda subject: approvals_of(subject, arguments.environment),
        may_announce=refuse_taken_on_github,
        announce=announce_on_github,
        take_over=arguments.take_over,
    )
