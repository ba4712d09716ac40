"""The only reader of os.environ: what the surroundings say, as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def cache_home(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder for what may be lost: MODELRELEASE_CACHE, else modelrelease/ in the user's cache, or None.

    It is never inside a checkout: what stands there could come from a pull request.
    """
    env = os.environ if environ is None else environ
    if chosen := env.get("MODELRELEASE_CACHE"):
        return Path(chosen)
    base = env.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "modelrelease"
    except RuntimeError:  # a user without a home, as in a container that was given a bare number
        return None


def partial_runs(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder in which interrupted runs keep what they have; None where there is no place for it."""
    home = cache_home(environ)
    return home / "partial" if home is not None else None


def run_url(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the address of the GitHub Actions run this process belongs to, None outside of one."""
    env = os.environ if environ is None else environ
    parts = [env.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    if not all(parts):
        return None
    server, repository, run = parts
    return f"{server}/{repository}/actions/runs/{run}"


def action_inputs(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a composite action's inputs by name: INPUT_POLICY_REF is ``policy-ref``."""
    env = os.environ if environ is None else environ
    prefix = "INPUT_"
    return {
        name[len(prefix) :].lower().replace("_", "-"): value for name, value in env.items() if name.startswith(prefix)
    }


@dataclass(frozen=True)
class WorkflowFiles:
    """The files by which a step talks to GitHub's runner, and its folder for what the job makes; None outside."""

    output: Path | None
    summary: Path | None
    temporary: Path | None


def workflow_files(environ: Mapping[str, str] | None = None) -> WorkflowFiles:
    """Return where a step's outputs, its summary and its temporary files go."""
    env = os.environ if environ is None else environ
    found = [env.get(name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")]
    return WorkflowFiles(*(Path(name) if name else None for name in found))


def prepare_libraries() -> None:
    """Set what torch and transformers read once, at import: no network, no telemetry, repeatable kernels."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def git_environment() -> dict[str, str]:
    """Return the environment git runs in: its own variables out, since a hook's name another repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
