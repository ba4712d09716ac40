"""What modelrelease.yaml says to the registry: what is governed, and the rules. Read without pydantic, for hooks."""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.registry.patterns import Patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.records.located import Keys, Located

CONFIG_FILE = "modelrelease.yaml"
DEFAULT_FILES = ("prompts/**", "datasets/**", "evals/**")
_MARKS = (b"registry", b"\\", b"&")


class Rules:
    """What a change record has to say; the defaults are those of ``records.config.RegistryRules``."""

    __slots__ = ("author", "max_future_days", "reason_min_length")

    def __init__(self, author: str = "git", reason_min_length: int = 12, max_future_days: int = 1) -> None:
        self.author = author
        self.reason_min_length = reason_min_length
        self.max_future_days = max_future_days


class Policy:
    """The rules, and which paths they cover; modelrelease.yaml itself is always one of them."""

    __slots__ = ("patterns", "rules")

    def __init__(self, patterns: tuple[str, ...] = DEFAULT_FILES, rules: Rules | None = None) -> None:
        self.patterns = Patterns((*patterns, f"/{CONFIG_FILE}"))
        self.rules = rules or Rules()


def read_policy(data: bytes, path: str) -> Policy:
    """Return the registry's part of a modelrelease.yaml; MR201-MR208 (exit 2) where it is malformed."""
    if not any(mark in data for mark in _MARKS):
        return Policy()  # it cannot hold the key `registry`: nine in ten commits need not wait for a YAML parser
    from modelrelease.records.strict_yaml import read_yaml
    from modelrelease.records.text import decode

    return _policy(read_yaml(decode(data, path), path))


def _policy(located: Located) -> Policy:
    value = located.value
    section = value.get("registry") if isinstance(value, dict) else None
    if section is None:
        return Policy()
    if not isinstance(section, dict):
        raise _wrong(located, ("registry",), "make it a mapping of `rules` and `files`")
    return Policy(_patterns(located, section), _rules(located, section))


def _patterns(located: Located, section: dict[str, object]) -> tuple[str, ...]:
    files = section.get("files")
    if files is None:
        return DEFAULT_FILES
    patterns: list[str] = []
    for index, item in enumerate(files if isinstance(files, list) else [files]):
        paths = item.get("paths") if isinstance(item, dict) else None
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise _wrong(located, ("registry", "files", index, "paths"), "make it a list of patterns")
        try:
            Patterns(paths)
        except ValueError as error:
            raise _wrong(
                located, ("registry", "files", index, "paths"), f"a pattern {error}; write it simpler"
            ) from error
        patterns += paths
    return tuple(patterns)


def _rules(located: Located, section: dict[str, object]) -> Rules:
    given = section.get("rules") or {}
    if not isinstance(given, dict):
        raise _wrong(located, ("registry", "rules"), "make it a mapping")
    rules = Rules()
    author = given.get("author", rules.author)
    if author not in ("git", "any"):
        raise _wrong(located, ("registry", "rules", "author"), "it must be `git` or `any`")
    numbers = []
    for key, least in (("reason_min_length", 1), ("max_future_days", 0)):
        number = given.get(key, getattr(rules, key))
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise _wrong(located, ("registry", "rules", key), f"it must be a whole number of at least {least}")
        numbers.append(number)
    return Rules(author, *numbers)


def _wrong(located: Located, keys: Keys, todo: str) -> Exception:
    name = ".".join(str(key) for key in keys if isinstance(key, str))
    return invalid(located.path, Code.INVALID_VALUE, f"`{name}` is not valid", todo, located.line_of(keys))
