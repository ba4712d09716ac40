"""An index of weights against the weights: every shard in the folder, every tensor where the index says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelrelease.codes import Code
from modelrelease.errors import Finding, shorten
from modelrelease.records.located import Located

INDEX_SUFFIX = ".index.json"
_AGAIN = "save the whole model again"
_NAMED = 3
MAX_ERRORS = 1000


def judge_index(
    document: Located, shown: str, names: Iterable[str], tensors: Mapping[str, frozenset[str]], *, whole: bool
) -> list[Finding]:
    """Return what is wrong (MR405) with an index of weights.

    ``names``: the files beside it; ``tensors``: those in each shard whose header was read; ``whole``: that the index
    also has to name every shard and every tensor there is, as it must to be published.
    """
    named = _weight_map(document)
    if named is None:
        return [Finding(shown, Code.MALFORMED_WEIGHTS, "is no index of weights", _AGAIN)]
    own = set(names)
    found = [*_foreign(named, own), *_displaced(named, tensors)]
    if whole:
        found += _unnamed(named, tensors)
    return [Finding(shown, Code.MALFORMED_WEIGHTS, message, todo) for message, todo in found[:MAX_ERRORS]]


def _weight_map(document: Located) -> dict[str, str] | None:
    value = document.value.get("weight_map") if isinstance(document.value, dict) else None
    if not isinstance(value, dict) or not value:
        return None
    return value if all(isinstance(shard, str) for shard in value.values()) else None


def _foreign(named: dict[str, str], own: set[str]) -> list[tuple[str, str]]:
    found = []
    for shard in sorted(set(named.values()) - own):
        out = "/" in shard or "\\" in shard or shard in ("", ".", "..")
        what = "which is no file name" if out else "which the checkpoint does not hold"
        found.append((f"names {_quoted(shard)}, {what}", _AGAIN if out else "add it, or save the model again"))
    return found


def _displaced(named: dict[str, str], tensors: Mapping[str, frozenset[str]]) -> list[tuple[str, str]]:
    found = []
    homes = {tensor: shard for shard, held in tensors.items() for tensor in held}
    for tensor, shard in named.items():
        if shard in tensors and tensor not in tensors[shard]:
            other = homes.get(tensor)
            where = f"it is in {_quoted(other)}" if other is not None else "no shard does"
            found.append((f"says that {_quoted(shard)} holds tensor {_quoted(tensor)}, and {where}", _AGAIN))
    return found


def _unnamed(named: dict[str, str], tensors: Mapping[str, frozenset[str]]) -> list[tuple[str, str]]:
    found = []
    shards = set(named.values())
    for shard, held in sorted(tensors.items()):
        if shard not in shards:
            found.append((f"does not name the shard {_quoted(shard)}", "remove that file, or save the model again"))
        elif extra := sorted(tensor for tensor in held if named.get(tensor) != shard):
            many = f" and {len(extra) - _NAMED} more" if len(extra) > _NAMED else ""
            listed = ", ".join(_quoted(tensor) for tensor in extra[:_NAMED])
            found.append((f"does not say that {_quoted(shard)} holds {listed}{many}", _AGAIN))
    return found


def _quoted(name: str) -> str:
    return shorten(repr(name), 80)
