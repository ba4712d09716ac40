"""Version folders: that each is what its papers say, and that the papers agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.layout_evaluation import check_evaluation
from modelrelease.flows.registry.layout_files import check_files
from modelrelease.flows.registry.layout_links import check_parent, check_source, digest_of_version, follow_same_as
from modelrelease.flows.registry.version_files import Files
from modelrelease.git.process import Git
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.located import Located
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.strict_json import read_document
from modelrelease.records.text import refuse_lfs_pointer
from modelrelease.records.validation import validate
from modelrelease.release.versions import version_key


@dataclass(frozen=True)
class Papers:
    """A version's model.json, and where its values stand."""

    record: ModelRecord
    located: Located


@dataclass
class Layout:
    """What a check of version folders came to; ``notes`` are about what is fine and worth a word."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: int = 0


@dataclass(frozen=True)
class Versions:
    """The version folders of one side, and of the sides that it comes from (empty: it is looked at as it stands)."""

    new: Files
    old: tuple[Files, ...] = ()
    git: Git | None = None

    def check(self, folders: list[str]) -> Layout:
        """Return what is wrong with these folders; what is not there has nothing wrong."""
        layout = Layout()
        for folder in folders:
            if self.new.below(folder):
                layout.versions += 1
                layout.findings += self._check(folder, layout.notes)
        return layout

    def _check(self, folder: str, notes: list[str]) -> Iterator[Finding]:
        name = folder.rpartition("/")[2]
        if version_key(name) is None:
            yield Finding(
                folder, Code.RECORD_PLACE, "is not named as a version is", "call it model_vX.Y or model_vX.Y.Z"
            )
            return
        try:
            papers = read_papers(self.new, folder)
        except InvalidInput as error:
            yield from error.findings
            return
        if papers is None:
            yield from self._without_papers(folder)
        else:
            yield from self._with_papers(folder, name, papers)
        path = f"{folder}/{EVAL_FILE}"
        if path in self.new.below(folder):
            yield from check_evaluation(self.new, folder, papers.record if papers is not None else None)
        elif papers is not None:
            notes.append(f"{folder}: not scored yet; `modelrelease score {folder}` writes its record")

    def _without_papers(self, folder: str) -> Iterator[Finding]:
        """A version that came before there were papers may go on without them; a new one, or one that had them, not."""
        before = [side for side in self.old if side.below(folder)]
        had = any(f"{folder}/{MODEL_FILE}" in side.below(folder) for side in before)
        if had or (self.old and not before):
            message = "was removed, and a version needs it" if had else "is missing, and a version needs it"
            todo = f"run `modelrelease record {folder}`, or let `modelrelease.save_checkpoint` write it, and add it"
            yield Finding(f"{folder}/{MODEL_FILE}", Code.MODEL_RECORD, message, todo)

    def _with_papers(self, folder: str, name: str, papers: Papers) -> Iterator[Finding]:
        record, located = papers.record, papers.located
        if record.version != name:
            message = f"is the record of {record.version or 'no version'}"
            todo = f"run `modelrelease record {folder}`, or put it into that version's folder"
            line = located.line_of(("version",))
            yield Finding(located.path, Code.MODEL_RECORD, message, todo, line)
        yield from check_parent(self.new, self.old, self.git, folder, papers.located, record)
        yield from check_source(papers.located, record)
        yield from self._same_as(folder, papers)
        yield from check_files(self.new, self.old, folder, papers.located, record)

    def _same_as(self, folder: str, papers: Papers) -> Iterator[Finding]:
        if papers.record.checkpoint.same_as is None:
            return
        line = papers.located.line_of(("checkpoint", "same_as"))
        try:
            target = follow_same_as(self.new, folder, papers.record.checkpoint.same_as)
            digest = digest_of_version(self.new, target)
        except ValueError as error:
            message, _, todo = str(error).partition("; ")
            yield Finding(papers.located.path, Code.SAME_AS, message, todo, line)
            return
        if digest not in {None, papers.record.checkpoint.digest}:
            message = f"`same_as` names {target.rpartition('/')[2]}, which has another checkpoint"
            todo = f"run `modelrelease record {folder}` again, or name the version that has this one"
            yield Finding(papers.located.path, Code.SAME_AS, message, todo, line)


def read_papers(files: Files, folder: str) -> Papers | None:
    """Return a version's papers, None where it has none; InvalidInput where they are malformed."""
    path = f"{folder}/{MODEL_FILE}"
    data = files.document(path)
    if data is None:
        return None
    refuse_lfs_pointer(data, path)
    located = read_document(data, path)
    return Papers(validate(ModelRecord, located), located)
