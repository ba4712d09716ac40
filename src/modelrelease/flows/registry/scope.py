"""The registry's check: what changed, from git; what is missing, from the registry's rules."""

from __future__ import annotations

import os
from collections.abc import Iterable

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Unavailable, invalid
from modelrelease.git import trees
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git
from modelrelease.git.versions import INDEX, Tree
from modelrelease.registry.policy import CONFIG_FILE, Policy, read_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.git.trees import Delta, Entry

SMALL = 8 << 20


class Scope:
    """What is compared: the new tree against its parents, and against the base that a record has to be new to.

    ``deltas``: what differs from every parent. ``base_deltas``: what differs from the base, by path; a path that is
    not in it is there as it is. ``tips``: further trees whose records are taken. ``history``: where earlier versions
    are looked for. ``range``: the commits of a range, None for the index.
    """

    def __init__(self, git: Git, objects: Objects, new: Tree, deltas: list[Delta]) -> None:
        self.git = git
        self.objects = objects
        self.new = new
        self.deltas = deltas
        self.base: Tree | None = None
        self.base_deltas: dict[str, Delta] = {}
        self.parents: list[Tree] = []
        self.tips: list[Tree] = []
        self.history: str | None = None
        self.range: tuple[str, str] | None = None
        self.old_policy: Policy | None = None
        self.new_policy = Policy()

    @property
    def policy(self) -> Policy:
        """The older side's, whose rules count; the new one's where there is no older one."""
        return self.old_policy or self.new_policy

    def governs(self, path: str) -> bool:
        """Return whether either side governs ``path``, so that no change ungoverns what it changes."""
        if self.new_policy.patterns(path):
            return True
        return self.old_policy is not None and self.old_policy.patterns(path)

    def pieces(self, oid: str | None, sizes: dict[str, int]) -> Iterable[bytes]:
        """Return a blob in pieces: whole where it is small, through a process of its own where it is not."""
        if oid is None:
            return ()
        if sizes.get(oid, 0) > SMALL:
            return self.objects.stream(oid)
        data = self.objects.read(oid)
        if data is None:
            message = "an object is missing from this repository"
            raise Unavailable(Finding(oid, Code.HISTORY, message, "run `git fsck`, or clone again"))
        return (data,)


def staged_scope(git: Git) -> Scope:
    """Return what the index holds against HEAD, with the policies of both sides; the base comes later, when needed."""
    deltas = trees.staged(git, "HEAD")
    objects = Objects(git)
    born = deltas is not None
    if deltas is None:
        deltas = trees.staged(git, trees.empty_tree(git)) or []
    scope = Scope(git, objects, Tree(git, objects, INDEX), deltas)
    if born:
        scope.parents = [Tree(git, objects, "HEAD")]
        scope.old_policy = _policy(scope.parents[0], lenient=True)
    scope.new_policy = _policy(scope.new) or Policy()
    return scope


def _policy(tree: Tree, *, lenient: bool = False) -> Policy | None:
    """Return the policy of a tree; None where it has none, or (``lenient``) a broken one."""
    data = tree.read(CONFIG_FILE)
    if data is None:
        return None
    try:
        return read_policy(data, CONFIG_FILE)
    except InvalidInput:
        if lenient:
            return None
        raise


def complete_staged(scope: Scope) -> None:
    """Find the base of the index, and keep of the deltas of a merge only what differs from all of its parents."""
    from modelrelease.git import history

    git = scope.git
    if not scope.parents:
        scope.base_deltas = {delta.path: delta for delta in scope.deltas}
        return
    scope.history = "HEAD"
    for sha in history.merge_heads(git, scope.objects):
        scope.parents.append(Tree(git, scope.objects, sha))
        differs = {delta.path for delta in trees.staged(git, sha, renames=False) or []}
        scope.deltas = [delta for delta in scope.deltas if delta.path in differs]
    base = "HEAD"
    default, head = history.default_branch(scope.objects), scope.objects.read_as("HEAD")
    # Where HEAD is the default branch's commit it makes no difference whether it is called so.
    if default is not None and head is not None and default[1] != head[0] and not history.on_branch(git, default[0]):
        base = history.merge_base(git, "HEAD", default[1]) or "HEAD"
        scope.tips = [Tree(git, scope.objects, default[1])]
    scope.base = Tree(git, scope.objects, base)
    against = scope.deltas if base == "HEAD" else trees.staged(git, base) or []
    scope.base_deltas = {delta.path: delta for delta in against}


def range_scope(git: Git, from_ref: str, to_ref: str) -> Scope:
    """Return what a branch holds against where it began.

    Raises InvalidInput (MR209) where a ref names no commit, Unavailable (MR111) where the clone is too shallow.
    """
    from modelrelease.git import history

    ids = {}
    for ref in (from_ref, to_ref):
        sha = history.commit_id(git, ref)
        if sha is None:
            raise invalid(ref, Code.UNREADABLE, "names no commit here", "fetch it, or name another ref")
        ids[ref] = sha
    start = history.merge_base(git, ids[from_ref], ids[to_ref])
    if start is None:
        why = "this clone is shallow" if history.is_shallow(git) else "they share no history"
        message = f"where {to_ref} began from {from_ref} is not known: {why}"
        todo = "fetch all of it: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout"
        raise Unavailable(Finding(to_ref, Code.HISTORY, message, todo))
    return _range(git, start, ids[from_ref], ids[to_ref])


def _range(git: Git, start: str, tip: str, end: str) -> Scope:
    objects = Objects(git)
    scope = Scope(git, objects, Tree(git, objects, end), trees.between(git, start, end))
    scope.base = Tree(git, objects, start)
    scope.base_deltas = {delta.path: delta for delta in scope.deltas}
    scope.tips = [] if tip == start else [Tree(git, objects, tip)]
    scope.history, scope.range = start, (tip, end)
    scope.old_policy = _policy(scope.base, lenient=True)
    scope.new_policy = _policy(scope.new) or Policy()
    return scope


def index_scope(git: Git, start: str) -> Scope:
    """Return what the index holds against the commit ``start``: what a commit of it will hold since then."""
    objects = Objects(git)
    scope = Scope(git, objects, Tree(git, objects, INDEX), trees.staged(git, start) or [])
    scope.base = Tree(git, objects, start)
    scope.base_deltas = {delta.path: delta for delta in scope.deltas}
    scope.history = start
    scope.old_policy = _policy(scope.base, lenient=True)
    scope.new_policy = _policy(scope.new) or Policy()
    return scope


def push_scope(git: Git, from_ref: str, to_ref: str) -> Scope:
    """Return what a push brings, from what the remote has to ``to_ref``; raises as :func:`range_scope` does.

    What the remote has may be an earlier state of the same branch: a record is new where the default branch does not
    have it, as in a commit.
    """
    from modelrelease.git import history

    scope = range_scope(git, from_ref, to_ref)
    end = scope.new.name
    default = history.default_branch(scope.objects)
    base = None if default is None else history.merge_base(git, default[1], end)
    if default is None or base is None or base == end or scope.base is None or base == scope.base.name:
        return scope
    scope.parents = [scope.base]
    scope.base = Tree(git, scope.objects, base)
    scope.base_deltas = {delta.path: delta for delta in trees.between(git, base, end)}
    scope.tips = [Tree(git, scope.objects, default[1])]
    return scope


def targets(scope: Scope) -> list[str]:
    """Return the governed files that changed, or whose change log did, in order."""
    from modelrelease.registry.formats import LOG_SUFFIX, is_log

    found: dict[str, None] = {}
    for delta in scope.deltas:
        for path in dict.fromkeys((delta.path, delta.old_path)):
            name = path.removesuffix(LOG_SUFFIX) if is_log(path) else path
            moved = path != delta.path and scope.governs(delta.path) and not is_log(path)
            if scope.governs(name) and not moved:
                found.setdefault(name)
    return list(found)


def nothing_governed(scope: Scope) -> bool:
    """Return whether no governed file and no change log is among the deltas; the cheapest question of all."""
    return not any(scope.governs(path) for delta in scope.deltas for path in (delta.path, delta.old_path))


def entry_of(scope: Scope, path: str, deltas: dict[str, Delta]) -> Entry | None:
    """Return what stands at ``path`` in the new tree."""
    if path in deltas:
        return deltas[path].new
    return scope.new.entry(path)


def blob_sizes(scope: Scope, paths: list[str]) -> dict[str, int]:
    """Return the sizes of both sides' blobs of ``paths``, in one call."""
    oids = []
    for path in paths:
        delta = scope.base_deltas.get(path)
        sides = (delta.old, delta.new) if delta is not None else ()
        oids += [side.oid for side in sides if side is not None and side.mode != trees.SUBMODULE]
    return scope.objects.sizes(oids) if oids else {}


def root_of(folder: str) -> str:
    """Return the top of the work tree around ``folder``; InvalidInput (MR601) outside of one."""
    from modelrelease.git.versions import find_root

    root = find_root(folder)
    if root is None:
        raise invalid(folder, Code.USAGE, "is in no git work tree", "call it in a repository")
    return root


def open_git(folder: str, told: dict[str, str]) -> Git:
    """Return git at the top of the work tree around ``folder``.

    ``told``: what git has told a hook; it counts only where its index is this repository's.
    """
    root = root_of(folder)
    index = told.get("GIT_INDEX_FILE")
    if index is not None:
        place = os.path.abspath(index)  # noqa: PTH100
        own = Git(root).ask("rev-parse", "--absolute-git-dir")
        ours = own is not None and os.path.dirname(place) == os.fsdecode(own)  # noqa: PTH120
        told = {**told, "GIT_INDEX_FILE": place} if ours else {}
    return Git(root, told)
