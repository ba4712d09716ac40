"""modelrelease.yaml and its suite as they stand in git: schema, and everything that they name."""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.config import parse_config
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.git.versions import Tree
from modelrelease.registry.formats import lfs_oid
from modelrelease.registry.policy import CONFIG_FILE


def check_config(tree: Tree, touched: list[str]) -> list[Finding]:
    """Return what is wrong with the config, and with its suite where that, or a file it names, was touched."""
    data = tree.read(CONFIG_FILE)
    if data is None:
        return []
    read: set[str] = set()
    lfs: list[str] = []

    def reader(path: str) -> bytes:
        read.add(path)
        found = tree.read(path)
        if found is None:
            raise invalid(
                path, Code.UNREADABLE, "is named by the suite and is not in git", "add it, or correct the name"
            )
        if lfs_oid(found) is not None:
            lfs.append(path)
        return found

    try:
        config = parse_config(data, CONFIG_FILE)
        if config.suite is None:
            return []
        if tree.read(config.suite) is None:
            message = f"`suite` names {config.suite}, which is not in git"
            return [Finding(CONFIG_FILE, Code.UNREADABLE, message, "add it, or correct the name")]
        from modelrelease.scoring.items import build_items
        from modelrelease.scoring.suites import load_suite

        build_items(load_suite(config.suite, reader).tasks)
    except InvalidInput as error:
        # What a pull request did not touch is not its fault, and a pointer's rows are not here to be looked at.
        own = CONFIG_FILE in touched or bool(read & set(touched))
        return [] if lfs or not own else list(error.findings)
    return []
