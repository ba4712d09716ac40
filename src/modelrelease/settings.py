"""The only reader of os.environ: what the surroundings say, as values."""

from __future__ import annotations

import os
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


_forbidden_here = False


def cache_home(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder for what may be lost: MODELRELEASE_CACHE, else modelrelease/ in the user's cache, or None.

    It is never inside a checkout: what stands there could come from a pull request.
    """
    from pathlib import Path

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


def hub_endpoint(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the address of the Hub that HF_ENDPOINT names, None for the client's own."""
    env = os.environ if environ is None else environ
    return env.get("HF_ENDPOINT") or None


def is_offline(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether somebody forbids the Hub with HF_HUB_OFFLINE; that this process forbids it itself is no answer."""
    env = os.environ if environ is None else environ
    return not _forbidden_here and env.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


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


class WorkflowFiles:
    """The files by which a step talks to GitHub's runner, and its folder for what the job makes; None outside."""

    def __init__(self, output: Path | None, summary: Path | None, temporary: Path | None) -> None:
        self.output = output
        self.summary = summary
        self.temporary = temporary

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkflowFiles) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def workflow_files(environ: Mapping[str, str] | None = None) -> WorkflowFiles:
    """Return where a step's outputs, its summary and its temporary files go."""
    from pathlib import Path

    env = os.environ if environ is None else environ
    found = [env.get(name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")]
    return WorkflowFiles(*(Path(name) if name else None for name in found))


class GitHubEnvironment:
    """What a GitHub Actions job says of itself, as it says it; None for what it does not say, as on a laptop.

    A plain class, since every hook imports this module. It shows nothing of itself: one of its values is a token.
    Source: https://docs.github.com/actions/reference/workflows-and-actions/variables
    """

    def __init__(self, said: Mapping[str, str | None], token: str | None) -> None:
        self.repository = said.get("repository")
        self.event_name = said.get("event_name")
        self.event_path = said.get("event_path")
        self.sha = said.get("sha")
        self.ref = said.get("ref")
        self.head_ref = said.get("head_ref")
        self.base_ref = said.get("base_ref")
        self.run_id = said.get("run_id")
        self.run_number = said.get("run_number")
        self.run_attempt = said.get("run_attempt")
        self.actor = said.get("actor")
        self.workspace = said.get("workspace")
        self.api_url = said.get("api_url")
        self.server_url = said.get("server_url")
        self.token = token


def github_environment(environ: Mapping[str, str] | None = None) -> GitHubEnvironment:
    """Return the job's environment; the token is GITHUB_TOKEN, else GH_TOKEN. Empty is as good as not there."""
    env = os.environ if environ is None else environ
    prefix = "GITHUB_"
    said = {name[len(prefix) :].lower(): value or None for name, value in env.items() if name.startswith(prefix)}
    return GitHubEnvironment(said, env.get("GITHUB_TOKEN") or env.get("GH_TOKEN") or None)


def is_github_hosted(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether this job runs on a machine of GitHub's, which is gone with everything on it when the job ends."""
    env = os.environ if environ is None else environ
    return env.get("RUNNER_ENVIRONMENT") == "github-hosted"


class HubEnvironment:
    """What the surroundings say of the Hugging Face Hub; None for what they do not. It shows nothing of its token.

    With ``oidc_resource`` the job publishes by its own identity, and no token is given: huggingface_hub exchanges it.
    ``oidc_request`` is where it asks for that, as GitHub's runner says.
    """

    def __init__(
        self, endpoint: str | None, token: str | None, oidc_resource: str | None, oidc_request: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self.token = token
        self.oidc_resource = oidc_resource
        self.oidc_request = oidc_request


def hub_environment(environ: Mapping[str, str] | None = None) -> HubEnvironment:
    """Return HF_ENDPOINT, HF_TOKEN and HF_OIDC_RESOURCE. Empty is as good as not there."""
    env = os.environ if environ is None else environ
    resource = env.get("HF_OIDC_RESOURCE") or None
    token = (env.get("HF_TOKEN") or "").strip() or None
    request = env.get("ACTIONS_ID_TOKEN_REQUEST_URL") or None
    return HubEnvironment(env.get("HF_ENDPOINT") or None, None if resource else token, resource, request)


def prepare_libraries() -> None:
    """Set what torch and transformers read once, at import: no network, no telemetry, repeatable kernels."""
    import sys

    global _forbidden_here  # noqa: PLW0603 - the environment is this process's, and so is what we did to it
    _forbidden_here = not is_offline()
    os.environ["HF_HUB_OFFLINE"] = "1"
    # The Hub's client reads that when it is imported, which fetching weights has done before.
    if (client := sys.modules.get("huggingface_hub.constants")) is not None:
        client.__dict__["HF_HUB_OFFLINE"] = True
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def allow_network() -> None:
    """Take back that this process has forbidden itself the network, for what comes after scoring: publishing."""
    import sys

    global _forbidden_here  # noqa: PLW0603 - as above
    if _forbidden_here:
        _forbidden_here = False
        os.environ.pop("HF_HUB_OFFLINE", None)
        if (client := sys.modules.get("huggingface_hub.constants")) is not None:
            client.__dict__["HF_HUB_OFFLINE"] = False


def git_environment() -> dict[str, str]:
    """Return the environment git runs in: its own variables out, since a hook's name another repository.

    Replaced objects and grafts are not looked at: they stay behind when a branch is pushed, and what is pushed is what
    counts.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        # Of a file that is there, an empty one too, git says each time that grafts are old.
        "GIT_GRAFT_FILE": f"{os.devnull}/grafts",
        "LC_ALL": "C",
    }


_GIT_ACCESS = ("GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY")


def remote_environment(*, told: bool) -> dict[str, str]:
    """Return the environment git talks to a remote in: as :func:`git_environment`, and it asks nobody for a password.

    ``told``: with what the environment says of credentials, proxies and certificates, which other calls do without.
    """
    from_outside = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_PARAMETERS")
    access = {n: v for n, v in os.environ.items() if n in _GIT_ACCESS or n.startswith(from_outside)}
    return {**git_environment(), **(access if told else {}), "GIT_TERMINAL_PROMPT": "0"}


def apart() -> dict[str, str]:
    """Return the environment of a Python that shares nothing with this one; the index that pip asks is the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MODELRELEASE_"))}
    kept.pop("VIRTUAL_ENV", None)
    return {**kept, "PYTHONUTF8": "1"}


def commit_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what git tells a hook about the commit in the making: its author, and the index of `commit -a`."""
    env = os.environ if environ is None else environ
    names = ("GIT_INDEX_FILE", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE")
    return {name: env[name] for name in names if env.get(name)}


def pushed_range(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """Return the two refs that pre-commit names when it runs for a push, or with --from-ref; None otherwise."""
    env = os.environ if environ is None else environ
    refs = env.get("PRE_COMMIT_FROM_REF"), env.get("PRE_COMMIT_TO_REF")
    return (refs[0], refs[1]) if refs[0] and refs[1] else None
