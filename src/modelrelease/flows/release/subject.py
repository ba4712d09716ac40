"""What is to be released: a version as it is tagged and merged, whole, and allowed to be published."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.flows.release.grounds import Grounds, version_name
from modelrelease.flows.trees import Tree
from modelrelease.flows.weights import Weights
from modelrelease.git.remotes import remote_tags
from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.publishing import refuse_unpublishable
from modelrelease.records.strict_json import read_document
from modelrelease.records.text import refuse_lfs_pointer
from modelrelease.records.validation import validate


@dataclass(frozen=True)
class Subject:
    """A version that may be released, as far as can be told without scoring it. ``folder`` is relative to the root.

    ``tree`` is the commit of its tag: all that is published but the weights is read from there.
    """

    grounds: Grounds
    version: str
    folder: str
    tag: str
    tree: Tree
    record: ModelRecord
    checkpoint: Checkpoint

    @property
    def digest(self) -> str:
        """The digest of its checkpoint."""
        return self.checkpoint.digest


def open_subject(grounds: Grounds, version: str, weights: Weights) -> Subject:
    """Return the version ``version`` (a name or a folder) as it is tagged and checked out.

    ``weights`` must not remember digests. Raises InvalidInput (exit 2) where it is no version or malformed; Refused
    (exit 1) where its tag is not what is checked out, not merged or not the same on origin (MR708), where files are not
    those that model.json lists (MR421), or where the checkpoint policy says no (MR404, MR406, MR415 to MR417);
    Unavailable (exit 3) where there is an origin and it does not answer.
    """
    name = _name(grounds, version)
    tag, root = grounds.tag_of(name), grounds.project.root
    tree = Tree(root, _tagged(grounds, tag), grounds.project.config_path)
    folder = f"{(tree.config or grounds.config).models}/{name}"
    record = _papers(tree, folder, name)
    checkpoint = weights.of_version(root / folder, folder)
    if checkpoint.digest != record.checkpoint.digest:
        message, todo = "is not the checkpoint that the tag's model.json describes", f"run `git checkout {tag}`"
        raise Refused(Finding(f"{folder}/checkpoint", Code.CHECKPOINT_FILES, message, todo))
    refuse_unpublishable(checkpoint.folder)
    return Subject(grounds, name, folder, tag, tree, record, checkpoint)


def _name(grounds: Grounds, version: str) -> str:
    """Return the version's name; a tag of another model is no version of this one."""
    name, place = version_name(version), version.rstrip("/").rpartition("/")[0]
    models = f"/{grounds.config.models}"
    if place and place != grounds.config.name and not f"/{place}".endswith(models):
        todo = f"write {grounds.tag_of(name)}, or name the config of the model that it is of"
        raise invalid(version, Code.RELEASE_NAME, "is no version of this model", todo)
    return name


def _tagged(grounds: Grounds, tag: str) -> str:
    """Return the commit of the version's tag: the one that is checked out, and merged."""
    root = grounds.project.root
    commit, head = git.tag_commit(root, tag), git.commit_of(root, "HEAD")
    if commit is None:
        todo = f"tag the merged commit: `git tag {tag} && git push origin {tag}`"
        raise Refused(Finding(tag, Code.RELEASE_TAG, "is no tag here", todo))
    if head != commit:
        message = f"is the tag of {commit[:10]}, and {(head or 'nothing')[:10]} is checked out"
        raise Refused(Finding(tag, Code.RELEASE_TAG, message, f"run `git checkout {tag}`"))
    if not git.is_ancestor(root, commit, grounds.policy.commit):
        branch = grounds.branch
        if git.is_ancestor(root, commit, f"refs/heads/{branch}"):  # so the default branch is origin's
            message = f"{commit[:10]} is not on origin/{branch}, though {branch} has it here"
            raise Refused(Finding(tag, Code.RELEASE_TAG, message, f"run `git push origin {branch}`"))
        todo = f"merge it, and tag the commit that {branch} has; what is not merged was not reviewed"
        raise Refused(Finding(tag, Code.RELEASE_TAG, f"{commit[:10]} is not on {branch}", todo))
    _refuse_another_on_origin(grounds, tag, commit)
    return commit


def _refuse_another_on_origin(grounds: Grounds, tag: str, commit: str) -> None:
    """What this clone says is a tag is one only where everybody finds it there: somebody may have moved it since."""
    known = remote_tags(grounds.project.root, [tag])
    if known is None or known.get(tag) == commit:
        return
    if tag not in known:
        todo = f"push it: `git push origin refs/tags/{tag}`"
        raise Refused(Finding(tag, Code.RELEASE_TAG, "is not on origin", todo))
    message = f"is the tag of {known[tag][:10]} on origin, and of {commit[:10]} here"
    todo = f"find out who moved it; `git fetch origin +refs/tags/{tag}:refs/tags/{tag}` takes origin's"
    raise Refused(Finding(tag, Code.RELEASE_TAG, message, todo))


def _papers(tree: Tree, folder: str, name: str) -> ModelRecord:
    path = f"{folder}/{MODEL_FILE}"
    if not tree.entries([path]):
        todo = f"run `modelrelease record {folder}`, commit what it writes, and tag that"
        raise invalid(path, Code.UNREADABLE, "is not in the tagged commit", todo)
    data = tree.read(path)
    refuse_lfs_pointer(data, path)
    record = validate(ModelRecord, read_document(data, path))
    if record.version != name:
        todo = f"run `modelrelease record {folder}`, and commit that"
        raise invalid(path, Code.MODEL_RECORD, f"is the record of {record.version or 'no version'}", todo)
    return record
