"""Workflows run for real on this machine: act in host mode, where the kit's actions come from this checkout.

What act does not do: `permissions` and environments are ignored, and nothing can be fetched. So checkout, and upload
and download of artifacts, are stand-ins that clone and copy; without a `ref`, act itself puts a copy of the work tree
in a checkout's place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
KIT = "modelrelease/modelrelease@v0.1.0"
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
STAND_INS = {
    CHECKOUT: "checkout",
    "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f": "upload-artifact",
    "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131": "download-artifact",
}
PARTS = ("action.yml", "actions", "scripts", "src", "examples", "workflows-templates", "pyproject.toml", "README.md")
# The private environment sits on the packages of the Python that runs the tests; pip reads "0" as "no isolation".
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "OMP_NUM_THREADS": "1"}


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody and return what it printed."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *person, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Ran:
    """What a workflow's run ended with and printed; ``log`` is what steps printed, without act's own lines."""

    code: int
    text: str
    log: str

    def jobs(self) -> dict[str, str]:
        """Return how each job ended, ``succeeded`` or ``failed``; a skipped one is not in it."""
        return dict(re.findall(r"^\[[^\]/]+/(\S+?)\s*\] 🏁  Job (\w+)$", self.text, re.MULTILINE))


class Act:
    """A machine with the kit published as ``modelrelease/modelrelease@v0.1.0`` and one artifact store.

    All machines of a test run share the folder of private environments, as the jobs of one runner do.
    """

    def __init__(self, folder: Path, temporary: pytest.TempPathFactory) -> None:
        self.folder, self.artifacts = folder, folder / "artifacts"
        self.kit, self.cache = folder / "kit", temporary.getbasetemp() / "act-cache"
        if "PYTEST_XDIST_WORKER" in os.environ:
            self.cache = temporary.getbasetemp().parent / "act-cache"
        self.kit.mkdir(parents=True)
        for part in (*PARTS, "LICENSE"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, self.kit / part)

    def run(
        self,
        workspace: Path,
        event: str,
        payload: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        job: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        token: str = "",
        secrets: Mapping[str, str] | None = None,
        workflow: Path | None = None,
        timeout: float = 300,
    ) -> Ran:
        """Run the workflows of ``workspace`` for an event, or one of them.

        ``environ`` is the machine's; ``job`` is what GitHub tells a job, where act's own answer will not do;
        ``variables`` are the repository's, for ``vars.NAME``; ``token`` is the job's,
        ``secrets`` are for ``secrets.NAME``.
        """
        path = self.folder / "event.json"
        path.write_text(json.dumps(payload or {}), "utf-8")
        stand_ins = [f"{used}={ROOT / 'tests' / 'fakes' / 'actions' / own}" for used, own in STAND_INS.items()]
        local = [option for pair in (f"{KIT}={self.kit}", *stand_ins) for option in ("--local-repository", pair)]
        settings = [option for pair in (variables or {}).items() for option in ("--var", "=".join(pair))]
        settings += [option for pair in (job or {}).items() for option in ("--env", "=".join(pair))]
        kept = {**({"GITHUB_TOKEN": token} if token else {}), **(secrets or {})}
        settings += [option for pair in kept.items() for option in ("--secret", "=".join(pair))]
        settings += ["--workflows", str(workflow)] if workflow else []
        runners = [option for label in ("ubuntu-latest", "self-hosted") for option in ("-P", f"{label}=-self-hosted")]
        command = [str(Path(sys.executable).parent / "act"), event, "--eventpath", str(path)]
        # Without the second, act would read the workspace's own .env.
        command += [*runners, *local, *settings, "--env-file", os.devnull, "--secret-file", os.devnull]
        done = subprocess.run(
            command,
            cwd=workspace,
            env=self._environ({"CHECKOUT_FROM": str(workspace), **(environ or {})}),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        text = done.stdout + done.stderr
        printed = re.findall(r"^\[[^\]]+\]  (?: \| | ⚙  )(.*)$", text, re.MULTILINE)
        return Ran(done.returncode, text, "\n".join(printed))

    def _environ(self, changes: Mapping[str, str]) -> dict[str, str]:
        own = {"XDG_CACHE_HOME": str(self.cache), "HOME": str(self.folder), "ARTIFACTS": str(self.artifacts)}
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        return {**kept, **own, **OFFLINE, **changes}
