"""Setting up a repository: look, plan, check with the readers that will read it, then write all or nothing.

What a repository can be asked is not asked of a person; what it does not say is left to one, in comments.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelrelease import __version__, git
from modelrelease.codes import Code
from modelrelease.comparison.policy import policy_for
from modelrelease.config import CONFIG_FILE, parse_config
from modelrelease.errors import InvalidInput, escape_controls, invalid
from modelrelease.flows.materials import material
from modelrelease.flows.place import existing, put
from modelrelease.flows.planned_suite import AskedSuite, asked_suite
from modelrelease.flows.survey import survey
from modelrelease.records.config import Config, GatePolicy
from modelrelease.records.setup import Setup
from modelrelease.release.targets.address import FILE, relative_folder
from modelrelease.scaffold.additions import (
    ATTRIBUTES,
    IGNORE,
    RELEASE_WORKFLOW,
    REPRODUCE_WORKFLOW,
    ROLLBACK_WORKFLOW,
    WORKFLOW,
    WORKFLOWS,
    attributes_plan,
    hook_plan,
    ignore_plan,
    release_plan,
    reproduce_plan,
    rollback_plan,
    workflow_plan,
)
from modelrelease.scaffold.config_text import config_text, governed_patterns, metric_lines
from modelrelease.scaffold.description import Facts, describe
from modelrelease.scaffold.file_plan import FilePlan, created, kept
from modelrelease.scaffold.found import Found
from modelrelease.scaffold.kit import Kit, github_name, kit_of, parse_kit
from modelrelease.scaffold.margins import DISCORDANCE, MetricPlan, plan_metrics
from modelrelease.scaffold.pairing import TaskPlan
from modelrelease.scaffold.precommit import PRECOMMIT
from modelrelease.scaffold.steps import Releasing
from modelrelease.scaffold.suite_text import SUITE

_TEMPLATES = "workflows-templates"
_SUITE_REASON = "One task for each test set that was here when modelrelease came"
_CONFIG_REASON = "Margins that the sizes of the test sets can prove"


@dataclass(frozen=True)
class InitPlan:
    """What init would do: ``files`` below ``root``, and all of it in words."""

    root: Path
    files: tuple[FilePlan, ...]
    setup: Setup


def plan_init(
    folder: Path, today: str, kit: str | None = None, *, reproduce: bool = False, release: bool = False
) -> InitPlan:
    """Return what the repository around ``folder`` needs; writes nothing.

    ``today``: the day of the change records, ISO 8601. ``kit``: OWNER/NAME@REF instead of what this program is part of.
    ``reproduce``: with the workflow that runs the live version again, which takes a runner's time every week.
    ``release``: with the workflows that release a version and take it back, which need protected environments.
    Raises InvalidInput: MR601 (no work tree, nobody configured in git, a malformed ``kit``), MR209 (a link or a folder
    where a file belongs).
    """
    chosen = parse_kit(kit) if kit is not None else None
    root = _work_tree(folder)
    author = _author(root)
    before = existing(root, CONFIG_FILE)
    config, fault = _config(before)
    found = survey(root, git.files(root), config.models)
    asked = asked_suite(root, config.suite or SUITE, found, {"author": author, "date": today, "reason": _SUITE_REASON})
    metrics = _metrics(asked.tasks)
    template = material(f"{_TEMPLATES}/pull-request.yml")
    used = chosen or _own_kit(template.clone)
    workflows = _workflows(root)
    again = reproduce_plan(_template("reproduce"), used, workflows)
    files = (
        asked.suite,
        _config_plan(before, fault, config, asked, metrics, found, {"author": author, "date": today}),
        attributes_plan(existing(root, ATTRIBUTES)),
        ignore_plan(existing(root, IGNORE), relative_folder(config.release.target) if release else None),
        hook_plan(existing(root, PRECOMMIT), used),
        workflow_plan(template.path.read_text("utf-8"), used, workflows),
        *([again] if reproduce else []),
        *(_releasing(used, workflows) if release else []),
    )
    url = git.remote_url(root)
    name = github_name(url) if url else None
    branch = git.default_branch(root)
    main = git.short_name(branch) if branch else None
    facts = Facts(str(root), url is not None, name, main, author, str(used))
    offered = not reproduce and again.action == "created"
    releasing = _releases(config, found, fresh=before is None) if release else None
    setup = describe(facts, found, asked.tasks, asked.undecided, metrics, files, offered, releasing)
    return InitPlan(root, files, setup)


def write_init(plan: InitPlan) -> None:
    """Write what is planned, all or nothing; Unavailable (exit 3) where the disk refuses."""
    put(plan.root, plan.files)


def _work_tree(folder: Path) -> Path:
    if not folder.is_dir():
        raise invalid(escape_controls(str(folder)), Code.USAGE, "is no folder", "name a folder of a git repository")
    return git.work_tree(folder)


def _author(root: Path) -> str:
    person = git.person(root)
    if person is None:
        todo = 'run `git config user.name "Your Name"` and `git config user.email you@example.org`'
        raise invalid("modelrelease init", Code.USAGE, "git does not know who you are, and change records say so", todo)
    return person.name


def _config(before: bytes | None) -> tuple[Config, str | None]:
    """The config that is there, or what one that is not would say by default; and what is wrong with it."""
    try:
        if before is not None:
            return parse_config(before, CONFIG_FILE), None
    except InvalidInput as error:
        return Config(schema_version=1), str(error.findings[0])
    return Config(schema_version=1), None


def _metrics(tasks: Sequence[TaskPlan]) -> list[MetricPlan]:
    def smallest(items: int) -> float:
        from modelrelease.comparison.plan import whole_point_margin  # numpy and scipy, which an empty suite needs not

        return whole_point_margin(items, DISCORDANCE, GatePolicy().alpha)

    return plan_metrics(tasks, smallest)


def _own_kit(clone: Path | None) -> Kit:
    # A clone's files inside of another repository are that one's: its commit says nothing about the kit.
    if clone is None or not (clone / ".git").exists():
        return kit_of(__version__, None, None)
    return kit_of(__version__, git.head(clone).sha, git.remote_url(clone))


def _config_plan(
    before: bytes | None,
    fault: str | None,
    config: Config,
    asked: AskedSuite,
    metrics: Sequence[MetricPlan],
    found: Found,
    change: dict[str, str],
) -> FilePlan:
    if before is not None:
        return _kept_config(before, fault, config, metrics)
    paths = [path for task in asked.tasks for path in (task.dataset, task.prompt) if path is not None]
    governed = governed_patterns(paths)
    record = {**change, "reason": _CONFIG_REASON}
    text = config_text(asked.suite.path, metrics, governed, found.versions, record)
    parse_config(text.encode("utf-8"), CONFIG_FILE)
    return created(CONFIG_FILE, text, f"decides by {len(metrics)} metric{'' if len(metrics) == 1 else 's'}")


def _kept_config(before: bytes, fault: str | None, config: Config, metrics: Sequence[MetricPlan]) -> FilePlan:
    """A config that is there stays; where its gate passes over metrics that could decide, their lines are shown."""
    if fault is not None:
        return kept(CONFIG_FILE, before, f"it is there already, and faulty: {fault}")
    reason = "it is there already" + ("" if config.suite is not None else f"; add `suite: {SUITE}`")
    missing = [metric for metric in metrics if _undecided_by(metric, config)]
    if not missing:
        return kept(CONFIG_FILE, before, reason)
    reason += "; paste the lines of new metrics under its `gate.metrics`"
    return FilePlan(CONFIG_FILE, "by-hand", reason, before, None, metric_lines(missing))


def _undecided_by(metric: MetricPlan, config: Config) -> bool:
    try:
        return metric.role == "gate" and policy_for(metric.name, config.gate.metrics) is None
    except ValueError:  # two patterns match it alike: `compare` says so
        return False


def _releases(config: Config, found: Found, *, fresh: bool) -> Releasing:
    """What the config says of releases; a ``fresh`` one names the only version there is as the first."""
    only = PurePosixPath(found.versions[0]).name if fresh and len(found.versions) == 1 else None
    prefix = f"{config.name}/" if config.name else ""
    return Releasing(prefix, config.release.bootstrap or only, config.release.target.startswith(FILE))


def _template(name: str) -> str:
    return material(f"{_TEMPLATES}/{name}.yml").path.read_text("utf-8")


def _releasing(kit: Kit, workflows: dict[str, bytes]) -> list[FilePlan]:
    plans = (("release", release_plan), ("rollback", rollback_plan))
    return [plan(_template(name), kit, workflows) for name, plan in plans]


def _workflows(root: Path) -> dict[str, bytes]:
    """The workflows that are there by path; the kit's own is among them where it is."""
    for path in (WORKFLOW, REPRODUCE_WORKFLOW, RELEASE_WORKFLOW, ROLLBACK_WORKFLOW):
        existing(root, path)  # says what is in its way
    folder = root / WORKFLOWS
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    paths = [f"{WORKFLOWS}/{name}" for name in names if name.endswith((".yml", ".yaml"))]
    found = {}
    for path in paths:
        with contextlib.suppress(InvalidInput):  # a link or a folder of another name is none of our business
            found[path] = existing(root, path) or b""
    return found
