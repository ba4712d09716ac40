"""Talking to a remote: no hook runs, nobody is asked for a password, and no address is shown with its credentials."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, escape_controls, shorten
from modelrelease.settings import remote_environment

TIMEOUT = 120
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit")
_TAGS, _PEELED = "refs/tags/", "^{}"
_LISTED = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)")


def remote_of(folder: Path, name: str = "origin") -> str | None:
    """Return ``name`` where the repository has such a remote, else None."""
    done = run(folder, "config", "--get", f"remote.{name}.url")
    return name if done.returncode == 0 and done.stdout.strip() else None


def remote_tags(folder: Path, tags: Iterable[str]) -> dict[str, str] | None:
    """Return the commit of each of ``tags`` that origin has, by name, in one round trip; None without a remote.

    An annotated tag counts as what it is a tag of. Raises Unavailable (exit 3) where the remote does not answer or does
    not let us in.
    """
    remote, wanted = remote_of(folder), [f"{_TAGS}{tag}" for tag in tags]
    if remote is None or not wanted:
        return None if remote is None else {}
    asked = [ref for tag in wanted for ref in (tag, f"{tag}{_PEELED}")]
    done = run(folder, "ls-remote", "--", remote, *asked, remote=True)
    if done.returncode:
        todo = "see that the remote can be reached, and that its credentials may read it"
        raise Unavailable(Finding(f"remote {remote}", Code.UNAVAILABLE, f"does not tell its tags: {said(done)}", todo))
    lines = map(_LISTED.fullmatch, done.stdout.decode("utf-8", "replace").splitlines())
    there = {line[2]: line[1] for line in lines if line is not None}
    # What is asked for matches the ends of names too, such as those of branches.
    return {ref.removeprefix(_TAGS): there.get(f"{ref}{_PEELED}", there[ref]) for ref in wanted if ref in there}


def run(folder: Path, *arguments: str, given: bytes = b"", remote: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run git; with what the environment says of credentials where a ``remote`` is asked.

    What it says by failing is for the caller to tell. Unavailable (exit 3) where there is no git or no answer.
    """
    command = ["git", *_SAFE, "-C", str(folder), *arguments]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=TIMEOUT, check=False, env=remote_environment(told=remote)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"git did not answer: {type(error).__name__}"
        todo = "see that git is installed, and that the remote answers"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, todo)) from error


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return what git complained of, on one line and without credentials."""
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return shorten(escape_controls("; ".join(_without_credentials(line) for line in lines)), 300) or "it failed"


def _without_credentials(text: str) -> str:
    """An address can hold a token, and git repeats addresses in what it says."""
    return re.sub(r"//[^/\s@]+@", "//…@", text)
