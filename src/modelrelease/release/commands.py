"""The command of a training as text that can be published: what looks like a secret in it is masked. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from modelrelease.errors import shorten

MASK = "***"
MAX_COMMAND = 8000
# A word as a shell reads it: quoted and unquoted pieces without white space between them.
_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""", re.DOTALL)
_NAME = re.compile(r"--?([A-Za-z][\w.-]*)", re.ASCII)
_ASSIGNED = re.compile(r"(?<![\w.-])([A-Za-z][\w.-]*)=([^\s;&|'\"]+)", re.ASCII)
_SECRET = frozenset({"token", "secret", "password", "passwd", "passphrase", "apikey", "credential", "credentials"})
_KEYS = frozenset({"api", "access", "private", "auth", "secret"})
# Tokens that a tokenizer has.
_NO_SECRET = frozenset({"pad", "eos", "bos", "unk", "sep", "cls", "mask", "image", "stop"})
# Sources: the prefixes that Hugging Face, GitHub, GitLab, OpenAI and Anthropic, AWS, Slack and Weights & Biases
# document for their tokens, and JSON web tokens.
_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,}|gh[pousr]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}|sk-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|xox[abprs]-[\w-]{8,}|wandb_v1_\w{8,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)",
    re.ASCII,
)
_USERINFO = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")


def command_text(words: Sequence[str]) -> str:
    """Return a process' own command line as one would type it again; the first word is the interpreter."""
    return masked(shlex.join(["python", *words[1:]]))


def masked(command: str) -> str:
    """Return ``command`` with secrets as ``***``, and cut to ``MAX_COMMAND`` characters.

    Masked are the values of options and variables whose names say so (``--hub-token``, ``API_KEY=``), tokens of known
    shapes wherever they stand, and users and passwords in addresses. Nothing else changes.
    """
    pieces, end, secret = [], 0, False
    for match in _WORD.finditer(command):
        word = match.group()
        pieces += [command[end : match.start()], MASK if secret and not word.startswith("-") else _mask_word(word)]
        end, secret = match.end(), _asks_for_a_secret(_unquoted(word))
    return shorten("".join([*pieces, command[end:]]).encode("utf-8", "backslashreplace").decode(), MAX_COMMAND)


def without_credentials(address: str) -> str:
    """Return the address of a git remote or a file without user, password, query and fragment.

    The user that ssh needs is kept: ``git@github.com:acme/bot`` stays as it is.
    """
    if "://" not in address:
        return _SHAPES.sub(MASK, address)
    try:
        parts = urlsplit(address)
    except ValueError:  # no address after all, as a bracket without its other half
        return MASK
    user, at, host = parts.netloc.rpartition("@")
    kept = f"{user.partition(':')[0]}@" if at and parts.scheme == "ssh" else ""
    return _SHAPES.sub(MASK, urlunsplit((parts.scheme, kept + host, parts.path, "", "")))


def _mask_word(word: str) -> str:
    plain = _unquoted(word)
    name, equals, value = plain.partition("=")
    if equals and value and _NAME.fullmatch(name) and _is_secret(name.lstrip("-")):
        return f"{name}={MASK}"
    word = _ASSIGNED.sub(lambda found: f"{found[1]}={MASK}" if _is_secret(found[1]) else found[0], word)
    return _USERINFO.sub(MASK, _SHAPES.sub(MASK, word))


def _asks_for_a_secret(word: str) -> bool:
    name = _NAME.fullmatch(word)
    return name is not None and _is_secret(name[1])


def _is_secret(name: str) -> bool:
    """What a name is of stands at its end: a token's file is none, nor is the padding token of a tokenizer."""
    *_, before, last = ["", *re.split(r"[-_.]", name.lower())]
    return (last in _SECRET and before not in _NO_SECRET) or (last == "key" and before in _KEYS)


def _unquoted(word: str) -> str:
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return word
