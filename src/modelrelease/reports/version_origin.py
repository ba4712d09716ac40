"""How a version was made, what came between it and its parent, and whether its numbers came out again. Inert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import show_count, show_items
from modelrelease.records.changes import FileChange
from modelrelease.records.comparison import MAX_FIELD, Difference
from modelrelease.records.model import Machine, ModelRecord, Training
from modelrelease.records.reproduction import Outcome, Reproduction
from modelrelease.records.version_story import VersionStory
from modelrelease.reports.changes import headline, record_lines
from modelrelease.reports.inert import code, escape, fence
from modelrelease.reports.version_parts import MAX_SENTENCE, short_digest, version_name

MAX_FILES = 20
MAX_RECORDS = 5
MAX_COMMAND = 4000
_MAX_PATH = 200
_PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "peft", "trl")
_NOT_RECORDED = "not recorded"
_OUTCOMES: dict[Outcome, str] = {
    "exact": "exact: every sample came out bit for bit as recorded",
    "equivalent": "equivalent: the same predictions, differences within the tolerance",
    "variance-documented": "variance documented: only items whose best choices lay close together flipped",
    "mismatch": "mismatch: items differ, and nothing explains it",
    "refused": "refused: what was there was not the recorded experiment",
}
_OF_THE_MODEL = {"model", "tokenizer", "chat template"}


def training_lines(model: ModelRecord) -> Iterator[str]:
    """Yield how the weights were made, as far as it is recorded."""
    training = model.training
    if training == Training() and model.checkpoint.same_as is not None:
        of = version_name(model.checkpoint.same_as)
        yield f"Its checkpoint is that of {of}, whose papers say how it was trained."
        return
    if training == Training() and model.git is None:
        yield "Nothing is recorded of how it was trained."
        return
    if training.command is not None:
        yield from fence(shorten(training.command, MAX_COMMAND), "sh")
        yield ""
    else:
        yield f"- command: {_NOT_RECORDED}"
    yield f"- {_run(training)}"
    yield from _files("trained on", [(item.path, item.digest) for item in training.datasets])
    yield from _files("logs", [(item.path, item.sha256) for item in training.logs])
    yield f"- {_commit(model)}"
    yield f"- {_where(model.environment)}"


def _run(training: Training) -> str:
    facts = (
        ("seed", training.seed),
        ("steps", training.steps),
        ("epochs", training.epochs),
        ("final loss", training.final_loss),
    )
    return ", ".join(f"{name}: {_number(value)}" for name, value in facts)


def _number(value: float | None) -> str:
    if value is None:
        return _NOT_RECORDED
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _files(title: str, files: Sequence[tuple[str, str]]) -> Iterator[str]:
    if not files:
        yield f"- {title}: {_NOT_RECORDED}"
    for path, digest in files[:MAX_FILES]:
        yield f"- {title}: {code(shorten(path, _MAX_PATH))} ({short_digest(digest)})"
    if len(files) > MAX_FILES:
        yield f"- {title}: … and {show_count(len(files) - MAX_FILES)} more files"


def _commit(model: ModelRecord) -> str:
    git = model.git
    if git is None or git.sha is None:
        return f"commit: {_NOT_RECORDED}"
    branch = f" on {code(shorten(git.branch, _MAX_PATH))}" if git.branch else ""
    dirty = ", with changes that were not committed" if git.dirty else ""
    return f"commit: {short_digest(git.sha)}{branch}{dirty}"


def _where(machine: Machine | None) -> str:
    if machine is None:
        return f"machine: {_NOT_RECORDED}"
    packages = [f"{name} {machine.packages[name]}" for name in _PACKAGES if name in machine.packages]
    gpus = [gpu.name for gpu in machine.gpus]
    facts = (f"Python {machine.python}", *packages, *gpus, machine.cpu, machine.os)
    return "machine: " + escape(shorten(", ".join(facts), MAX_SENTENCE))


def changed_blocks(story: VersionStory) -> Iterator[list[str]]:
    """Yield what is another one than the parent's, with its heading: weights, training, governed files, scoring."""
    lines = [f"- {text}" for text in _changed_model(story)]
    lines += _changed_files(story)
    lines += [
        f"- scored differently, {escape(_what(found))}: {_side(found.baseline)} → {_side(found.candidate)}"
        for found in _scoring(story)
    ]
    if lines:
        since = f" since {version_name(story.parent.version)}" if story.parent.version else ""
        yield [f"## What changed{since}"]
        yield lines


def _changed_model(story: VersionStory) -> Iterator[str]:
    model, parent = story.model, story.parent.model
    own = model.checkpoint
    if own.same_as is not None:
        yield f"the checkpoint is that of {version_name(own.same_as)}: only what it is asked with is new"
    if parent is None:
        return
    if own.digest != parent.checkpoint.digest:
        yield f"new weights: checkpoint {short_digest(own.digest)}, was {short_digest(parent.checkpoint.digest)}"
    elif own.same_as is None:
        yield f"the same weights: checkpoint {short_digest(own.digest)}"
    yield from _differing(_papers(parent), _papers(model))
    before, after = _trained(parent), _trained(model)
    if own.digest == parent.checkpoint.digest and not any(after.values()):
        return  # the same weights came from the same training, whichever of the two has the papers of it
    if any(before.values()) and any(after.values()):
        yield from _differing(before, after)
        yield from _changed_data(parent, model)
    elif any(before.values()) or any(after.values()):
        silent = (story.parent.version or "the parent") if any(after.values()) else story.version
        yield f"{version_name(silent)} has no record of its training, so what differs in that is not known"


def _differing(before: dict[str, str | None], after: dict[str, str | None]) -> Iterator[str]:
    for name, value in after.items():
        if before[name] != value:
            yield f"{name}: {_side(before[name])} → {_side(value)}"


def _papers(model: ModelRecord) -> dict[str, str | None]:
    tokenizer = model.tokenizer
    return {
        "base model": model.base_model,
        "tokenizer": tokenizer.digest if tokenizer else None,
        "chat template": tokenizer.chat_template_digest if tokenizer else None,
    }


def _trained(model: ModelRecord) -> dict[str, str | None]:
    training, machine = model.training, model.environment
    gpus = ", ".join(gpu.name for gpu in machine.gpus) if machine else ""
    packages = machine.packages if machine else {}
    return {
        "training command": training.command,
        "seed": None if training.seed is None else str(training.seed),
        "training configuration": training.config_digest,
        "training machine": (gpus or machine.cpu) if machine else None,
        "trained with Python": machine.python if machine else None,
        **{f"trained with {name}": packages.get(name) for name in _PACKAGES},
    }


def _changed_data(parent: ModelRecord, model: ModelRecord) -> Iterator[str]:
    before, after = ({item.path: item.digest for item in side.training.datasets} for side in (parent, model))
    names = [path for path in {**after, **before} if before.get(path) != after.get(path)]
    for path in names[:MAX_FILES]:
        how = "new" if path not in before else "gone" if path not in after else "changed"
        yield f"training data {code(shorten(path, _MAX_PATH))}: {how}"


def _changed_files(story: VersionStory) -> Iterator[str]:
    if story.changes is None:
        if story.changes_unknown is not None:
            yield f"- prompts and test sets: {escape(story.changes_unknown)}"
        return
    if not story.changes.files:
        yield "- prompts, test sets, suite and policy: no change"
    for file in story.changes.files[:MAX_FILES]:
        yield f"- {code(shorten(file.path, _MAX_PATH))}: {escape(headline(file))}"
        yield from _who(file)
    left = max(0, len(story.changes.files) - MAX_FILES) + story.changes.left_out
    if left > 0:
        yield f"- … and {show_count(left)} more governed files"


def _who(file: FileChange) -> Iterator[str]:
    lines = list(record_lines(file))
    for line in lines[:MAX_RECORDS]:
        yield f"  - {escape(shorten(line, MAX_SENTENCE), begins_line=True)}"
    if len(lines) > MAX_RECORDS:
        yield f"  - … and {show_count(len(lines) - MAX_RECORDS)} earlier records"


def _scoring(story: VersionStory) -> list[Difference]:
    """What of the way the two were scored differs, besides what is told of the model and of files."""
    if story.judged is None:
        return []
    files = {"prompt", "dataset"} if story.changes is not None and story.changes.files else set()
    told = _OF_THE_MODEL | files
    return [found for found in story.judged.diff.comparability.differs if found.what not in told]


def _what(found: Difference) -> str:
    return shorten(f"{found.what} of {found.task}" if found.task else found.what, MAX_FIELD)


def _side(value: str | None) -> str:
    return "none" if value is None else short_digest(" ".join(value.split()))


def reproduction_line(story: VersionStory) -> str:
    """Return what came of the last reproduction."""
    if story.reproduced is None:
        return "Not reproduced yet: nobody has run this evaluation again."
    record = story.reproduced.record
    text = f"Last reproduction: {_OUTCOMES[record.outcome]}{_how_much(record)}."
    if not story.reproduced.current:
        text += " It is of an earlier eval.json: run `modelrelease reproduce` again."
    return text


def _how_much(record: Reproduction) -> str:
    facts = [show_items(record.items)]
    if record.identity_differences:
        names = dict.fromkeys(found.what for found in record.identity_differences)
        facts.append(f"not the same: {escape(shorten(', '.join(names), MAX_FIELD))}")
    if record.flip_count:
        facts.append(f"{show_count(record.flip_count)} flipped")
    if record.mismatch_count:
        facts.append(f"{show_count(record.mismatch_count)} not explained")
    if record.max_abs_difference:
        facts.append(f"differences up to {record.max_abs_difference:.2g} nats")
    if record.explanations:
        names = dict.fromkeys(found.what for found in record.explanations)
        facts.append(f"other {escape(shorten(', '.join(names), MAX_FIELD))}")
    if record.provenance is not None:
        facts.append(escape(record.provenance.started[:10]))
    return f" ({'; '.join(facts)})"


def override_lines(story: VersionStory) -> Iterator[str]:
    """Yield the losses that somebody accepted."""
    for found in story.overrides:
        until = f", until {found.expires}" if found.expires else ""
        said = f"{found.metric}: accepted {found.date} by {found.author}{until}: {found.reason}"
        yield f"- {escape(shorten(said, MAX_SENTENCE), begins_line=True)}"
