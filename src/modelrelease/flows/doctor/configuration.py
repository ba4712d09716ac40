"""The config and its suite: whether they can be read, and what the gate makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.codes import Code
from modelrelease.config import CONFIG_FILE, Project
from modelrelease.doctor.section import Section
from modelrelease.errors import InvalidInput
from modelrelease.numbers import show_count, show_items
from modelrelease.records.config import Config
from modelrelease.records.diagnosis import Check
from modelrelease.records.repository_settings import Unseen

if TYPE_CHECKING:
    from modelrelease.scoring.suites import LoadedSuite

_HERE = Section("configuration")
_INIT = "run `modelrelease init`"


@dataclass
class Configuration:
    """The project as far as it can be read. ``fault``: why its config cannot. ``malformed``: that is exit 2."""

    project: Project
    fault: InvalidInput | None = None
    malformed: bool = field(default=False)

    @property
    def config(self) -> Config:
        """Return the config, or what one that is not there would say by default."""
        return self.project.config or Config(schema_version=1)

    def checks(self) -> Iterator[Check]:
        """Yield how config, suite, gate and target stand."""
        path = self.project.config_path
        if self.fault is not None:
            self.malformed = True
            yield _HERE.finding(path, self.fault.findings[0], len(self.fault.findings) - 1)
            return
        if self.project.config is None:
            yield _HERE.todo(path, "is not here", _INIT)
            return
        yield _HERE.ok(path, "is valid")
        yield from self._suite(self.project.config)
        yield self._target(self.project.config)

    def _suite(self, config: Config) -> Iterator[Check]:
        if config.suite is None:
            yield _HERE.todo("suite", "the config names none, so nothing can be scored", f"{_INIT}, and add `suite:`")
            return
        try:
            loaded = self._loaded(config.suite)
        except InvalidInput as error:
            yield self._faulty(config.suite, error)
            return
        count, items = len(loaded.tasks), sum(len(task.rows) for task in loaded.tasks)
        says = f"{config.suite} asks {show_count(count)} task{'' if count == 1 else 's'}, {show_items(items)}"
        yield _HERE.ok("suite", says)
        try:
            from modelrelease.doctor.gate import Asked, check_gate
        except ModuleNotFoundError:
            yield _HERE.unseen("gate metrics", Unseen("scipy is not installed", "install `modelrelease[stats]`"))
            return
        asked = [Asked(task.spec.name, one.name, len(task.rows)) for task in loaded.tasks for one in task.spec.metrics]
        yield from check_gate(config.gate, asked, self.project.config_path)

    def _loaded(self, suite: str) -> LoadedSuite:
        from modelrelease.scoring.items import build_items
        from modelrelease.scoring.suites import load_suite

        loaded = load_suite(suite, self.project.read)
        build_items(loaded.tasks)
        return loaded

    def _faulty(self, suite: str, error: InvalidInput) -> Check:
        first, more = error.findings[0], len(error.findings) - 1
        if first.code == Code.LFS_POINTER:
            return _HERE.unseen(
                "suite", Unseen(f"{first.path} is in Git LFS, and not in this clone", "run `git lfs pull`")
            )
        # What is not there yet is to be done; what is there and cannot be read is malformed.
        self.malformed = self.malformed or first.code != Code.UNREADABLE
        return _HERE.finding("suite", first, more)

    def _target(self, config: Config) -> Check:
        from modelrelease.release.targets.address import check_address

        try:
            check_address(config.release.target, self.project.root)
        except InvalidInput as error:
            self.malformed = True
            return _HERE.finding("release target", error.findings[0])
        return _HERE.ok("release target", f"{config.release.target}, stage {config.release.stage}")


def read_configuration(start: Path, named: Path | None) -> Configuration:
    """Return the configuration around ``start``, or the one that is named; a faulty one is an answer, no error."""
    from modelrelease.config import find_project

    try:
        return Configuration(find_project(start, named))
    except InvalidInput as error:
        root = named.parent if named is not None else _above(start)
        return Configuration(Project(root, None, named.name if named is not None else CONFIG_FILE), error)


def _above(start: Path) -> Path:
    """Return the folder whose config could not be read."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / CONFIG_FILE).is_file()), here)
