"""Version folders, committed as people do: what the hook and `check` say of them, and the way out of each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import sha, write
from commands import Ran
from governed_repository import Repository

from modelrelease.cli import hooks
from modelrelease.codes import Code
from modelrelease.records.canonical import document_bytes
from modelrelease.records.checkpoints import files_digest
from modelrelease.records.evaluation import CheckpointFile

LIVE, NEW = "models/model_v1.0", "models/model_v1.1"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
FILES = {"config.json": b"{}\n", "model.safetensors": bytes(range(256)) * 8000, "a/b.json": b"[]\n"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Hook = Callable[..., Ran]
Edit = Callable[[dict[str, Any]], object]


def papers(name: str, files: dict[str, bytes] = FILES, **checkpoint: Any) -> dict[str, Any]:
    """model.json of a version with these files, as plain values."""
    listed = [
        CheckpointFile(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(files.items())
    ]
    saved = {
        "format": "safetensors",
        "digest": files_digest(listed),
        "files": [file.model_dump() for file in listed],
        "source": None,
        "same_as": None,
        "converted_from": None,
    }
    return {
        "schema_version": 1,
        "tool": {"name": "modelrelease", "version": "0"},
        "saved_by": "record",
        "version": name,
        "parent": None,
        "created": "2026-03-04T05:06:07+00:00",
        "git": None,
        "training": {},
        "environment": None,
        "tokenizer": None,
        "prompts": [],
        "checkpoint": {**saved, **checkpoint},
        "base_model": None,
        "license": None,
    }


def add_version(
    repository: Repository, folder: str, *, weights: bool = True, edit: Edit = lambda record: None, **checkpoint: Any
) -> None:
    """Write a version: its papers, and its files unless they lie elsewhere."""
    record = papers(folder.rpartition("/")[2], **checkpoint)
    edit(record)
    repository.write(f"{folder}/model.json", document_bytes(record))
    for path, data in FILES.items() if weights else ():
        repository.write(f"{folder}/checkpoint/{path}", data)


def edit_papers(repository: Repository, folder: str, edit: Edit) -> None:
    """Change model.json by hand."""
    record = json.loads(repository.read(f"{folder}/model.json"))
    edit(record)
    repository.write(f"{folder}/model.json", document_bytes(record))


def digest() -> str:
    """The digest of the files above."""
    return str(papers("x")["checkpoint"]["digest"])


def score(repository: Repository, folder: str, **changes: Any) -> None:
    """Write an evaluation of the version."""
    write(
        repository.folder / folder,
        {"qa": {"acc": [1.0, 0.0, 1.0], "acc_norm": [1.0, 1.0, 1.0]}},
        model=folder.rpartition("/")[2],
        changes={"model.digest": digest(), **changes},
    )


@pytest.fixture
def hook(repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Return a function that stages everything, runs the hook, and sees that `check --staged` says the same."""
    monkeypatch.chdir(repository.folder)
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODELRELEASE_CACHE", str(repository.folder.parent / "cache"))

    def run() -> Ran:
        repository.stage()
        before = repository.state()
        capsys.readouterr()
        code = hooks.main(["model-layout"])
        said = capsys.readouterr()
        assert hooks.main(["modelrelease"]) == code
        capsys.readouterr()
        assert repository.state() == before
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def live(repository: Repository, hook: Hook) -> Repository:
    """A repository whose main has a version with its papers and its record."""
    add_version(repository, LIVE)
    score(repository, LIVE)
    assert hook() == Ran(0, "", "")
    repository.commit("The first version")
    return repository


def lines(ran: Ran, code: int = 1) -> list[str]:
    assert (ran.code, ran.out) == (code, ""), ran
    return ran.err.splitlines()


# What passes


def test_a_version_without_a_record_passes_and_says_so(live: Repository, hook: Hook) -> None:
    add_version(live, NEW, edit=lambda record: record.update(parent="model_v1.0"))
    live.write(f"{NEW}/checkpoint/README.md", "# A card is no part of a checkpoint\n")
    said = hook()
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{NEW}: not scored yet; `modelrelease score {NEW}` writes its record\n"


def test_weights_may_be_in_git_lfs(live: Repository, hook: Hook) -> None:
    add_version(live, NEW)
    data = FILES["model.safetensors"]
    pointer = POINTER.format(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    live.write(f"{NEW}/checkpoint/model.safetensors", pointer)
    assert hook().code == 0
    live.write(f"{NEW}/checkpoint/model.safetensors", pointer.replace(f"size {len(data)}", "size 7"))
    (line,) = lines(hook())
    assert line.startswith(f"{NEW}/checkpoint/model.safetensors: MR421 has 7 bytes, and model.json says 2,048,000; ")


@pytest.mark.parametrize(
    "source", [f"hf://acme/bot@{COMMIT}", "file:///srv/models/one", "s3://bucket/models/one", "https://host/one"]
)
def test_weights_may_lie_elsewhere(live: Repository, hook: Hook, source: str) -> None:
    add_version(live, NEW, weights=False, source=source)
    assert hook().code == 0


def test_a_prompt_only_version_names_whose_checkpoint_it_has(live: Repository, hook: Hook) -> None:
    add_version(live, NEW, weights=False, same_as="model_v1.0")
    score(live, NEW)
    assert hook() == Ran(0, "", "")
    live.commit()
    add_version(live, "models/model_v1.2", weights=False, same_as="model_v1.1")
    assert hook().code == 0


def test_a_version_from_before_there_were_papers_goes_on(repository: Repository, hook: Hook) -> None:
    for path, data in FILES.items():
        repository.write(f"{LIVE}/checkpoint/{path}", data)
    repository.commit("Before there were papers")
    score(repository, LIVE)
    repository.write(f"{LIVE}/checkpoint/config.json", '{"a": 1}')
    assert hook() == Ran(0, "", "")
    repository.commit()
    assert hook() == Ran(0, "", "")  # nothing staged: everything as it stands
    add_version(repository, NEW, weights=False, same_as="model_v1.0")
    (line,) = lines(hook())
    assert "MR424 `same_as` names model_v1.0, which has another checkpoint; " in line
    repository.write(f"{LIVE}/checkpoint/config.json", FILES["config.json"])
    assert hook().code == 0


# What does not

PLACE = f"{NEW}/checkpoint"
BAD: dict[str, tuple[Callable[[Repository], object], int, str]] = {
    "no papers": (
        lambda r: (r.folder / NEW / "model.json").unlink(),
        1,
        f"{NEW}/model.json: MR420 is missing, and a version needs it; run `modelrelease record {NEW}`, or let",
    ),
    "papers of another": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(version="model_v1.0")),
        1,
        f"{NEW}/model.json:41: MR420 is the record of model_v1.0; run `modelrelease record {NEW}`",
    ),
    "papers of none": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(version=None)),
        1,
        "MR420 is the record of no version; ",
    ),
    "an unknown key": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(licence="mit")),
        2,
        "MR206 unknown key `licence`; did you mean `license`?",
    ),
    "NaN": (
        lambda r: r.edit(f"{NEW}/model.json", '"license": null', '"license": NaN'),
        2,
        "MR204 `NaN` is no finite number",
    ),
    "a digest by hand": (
        lambda r: edit_papers(r, NEW, lambda record: record["checkpoint"].update(digest="0" * 64)),
        1,
        "MR421 `checkpoint.digest` is not that of the files; ",
    ),
    "a place outside": (
        lambda r: edit_papers(r, NEW, lambda record: record["checkpoint"]["files"][0].update(path="../../x")),
        1,
        "MR421 lists '../../x', which is no place in a checkpoint; ",
    ),
    "a file twice": (
        lambda r: edit_papers(
            r, NEW, lambda record: record["checkpoint"]["files"].append(record["checkpoint"]["files"][0])
        ),
        1,
        "MR421 lists a file twice; ",
    ),
    "a file missing": (
        lambda r: (r.folder / PLACE / "a" / "b.json").unlink(),
        1,
        f"{PLACE}/a/b.json: MR421 is missing, and model.json lists it; add it, or run `modelrelease record",
    ),
    "a file too many": (
        lambda r: r.write(f"{PLACE}/optimizer.json", "{}"),
        1,
        f"{PLACE}/optimizer.json: MR421 is not in model.json; take it out, or run `modelrelease record",
    ),
    "what a Trainer left": (
        lambda r: r.write(f"{PLACE}/trainer_state.json", "{}"),
        1,
        f"{PLACE}/trainer_state.json: MR417 is what training goes on from, and no part of a checkpoint; keep it where ",
    ),
    "a file changed": (
        lambda r: r.write(f"{PLACE}/model.safetensors", FILES["model.safetensors"][:-1] + b"x"),
        1,
        f"{PLACE}/model.safetensors: MR421 has the sha256 ",
    ),
    "a small file changed": (
        lambda r: r.write(f"{PLACE}/config.json", b"[]\n"),
        1,
        f"{PLACE}/config.json: MR421 has the sha256 ",
    ),
    "a link": (
        lambda r: [(r.folder / PLACE / "config.json").unlink(), (r.folder / PLACE / "config.json").symlink_to("a")],
        1,
        f"{PLACE}/config.json: MR421 is no regular file; ",
    ),
    "no weights": (
        lambda r: shutil.rmtree(r.folder / PLACE),
        1,
        f"{NEW}: MR422 has neither weights nor their address; add the files, or let `checkpoint.source`",
    ),
    "a branch of the Hub": (
        lambda r: add_version(r, NEW, source="hf://acme/bot@main"),
        2,
        "MR423 `source` names a branch or a tag, which can move; write the commit: hf://org/name@<40 digits>",
    ),
    "a password": (
        lambda r: add_version(r, NEW, source="https://me:secret@host/x"),
        2,
        "MR423 `source` holds a password",
    ),
    "the same as itself": (lambda r: add_version(r, NEW, same_as="model_v1.1"), 1, "MR424 `same_as` leads back to"),
    "the same as nothing": (
        lambda r: add_version(r, NEW, same_as="model_v0.1"),
        1,
        "MR424 `same_as` names model_v0.1, which is not here; ",
    ),
    "the same as a path": (
        lambda r: add_version(r, NEW, same_as="../model_v1.0"),
        1,
        "MR424 `same_as` names '../model_v1.0', which is no version; ",
    ),
    "the same as another": (
        lambda r: add_version(r, NEW, files={"config.json": b"{}\n"}, weights=False, same_as="model_v1.0"),
        1,
        "MR424 `same_as` names model_v1.0, which has another checkpoint; ",
    ),
    "in a circle": (
        lambda r: [
            add_version(r, NEW, same_as="model_v1.2"),
            add_version(r, "models/model_v1.2", weights=False, same_as="model_v1.1"),
        ],
        1,
        f"{NEW}/model.json:24: MR424 `same_as` leads back to model_v1.1; ",
    ),
    "an unknown parent": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(parent="model_v0.7")),
        1,
        "MR425 `parent` is model_v0.7, which is neither here nor was released; ",
    ),
    "its own parent": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(parent="model_v1.1")),
        1,
        "MR425 `parent` is the version itself; ",
    ),
    "a parent that is no version": (
        lambda r: edit_papers(r, NEW, lambda record: record.update(parent="-x")),
        1,
        "MR425 `parent` names no version; ",
    ),
    "leading zeros": (
        lambda r: (r.folder / NEW).rename(r.folder / "models/model_v01.1"),
        2,
        "models/model_v01.1: MR507 is not named as a version is; call it model_vX.Y or model_vX.Y.Z",
    ),
    "another name": (
        lambda r: (r.folder / NEW).rename(r.folder / "models/best"),
        2,
        "models/best: MR507 is not named as a version is; ",
    ),
    "eval.json of another checkpoint": (
        lambda r: score(r, NEW, **{"model.digest": sha("another")}),
        1,
        f"{NEW}/eval.json:76: MR426 is the record of the checkpoint ",
    ),
    "eval.json of other files": (
        lambda r: [score(r, NEW), _edit_eval(r, lambda found: found["model"].update(files=[_other_file()]))],
        1,
        "MR426 `model.digest` is not that of the files it lists; score again",
    ),
    "eval.json of another version": (
        lambda r: score(r, NEW, **{"model.version": "model_v1.0"}),
        2,
        "MR507 is the record of model_v1.0; put it into that version's folder, or score model_v1.1",
    ),
    "eval.json by hand": (
        lambda r: score(r, NEW, **{"metrics.0.value": 0.9}),
        2,
        "MR506 the metric `qa/acc` has the value 0.9 here and 0.6666666666666666 in the samples; ",
    ),
    "another count": (
        lambda r: score(r, NEW, **{"samples.count": 4}),
        2,
        f"{NEW}/samples.jsonl: MR502 has 3 lines and eval.json says 4; ",
    ),
    "fewer items": (lambda r: score(r, NEW, **{"suite.tasks.0.items": 2}), 2, "MR502 the task `qa` has 2 items here"),
    "a metric missing": (
        lambda r: [score(r, NEW), _edit_eval(r, lambda found: found["metrics"].pop())],
        2,
        f"{NEW}/samples.jsonl:1: MR503 ",
    ),
    "eval.json with NaN": (
        lambda r: [score(r, NEW), r.edit(f"{NEW}/eval.json", '"seconds": 1.5', '"seconds": NaN')],
        2,
        "MR204 `NaN` is no finite number",
    ),
    "no samples": (
        lambda r: [score(r, NEW), (r.folder / NEW / "samples.jsonl").unlink()],
        2,
        f"{NEW}/samples.jsonl: MR209 is not here, and eval.json names it; add it",
    ),
    "other samples in Git LFS": (
        lambda r: [score(r, NEW), r.write(f"{NEW}/samples.jsonl", POINTER.format(sha256="0" * 64, size=9))],
        2,
        f"{NEW}/samples.jsonl: MR501 is not the file that eval.json names (other sha256); ",
    ),
}


def _other_file() -> dict[str, Any]:
    return {"path": "config.json", "size": 1, "sha256": "0" * 64}


def _edit_eval(repository: Repository, edit: Edit) -> None:
    found = json.loads(repository.read(f"{NEW}/eval.json"))
    edit(found)
    repository.write(f"{NEW}/eval.json", document_bytes(found))


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_new_version_is_said_in_every_way_it_is_asked(
    live: Repository, hook: Hook, modelrelease: Callable[..., Ran], case: str
) -> None:
    spoil, code, said = BAD[case]
    live.git("checkout", "--quiet", "-b", "work")
    add_version(live, NEW)
    spoil(live)
    found = lines(hook(), code)
    assert len(found) <= 3
    assert said in found[0], found
    staged = modelrelease("check", "--staged")
    assert (staged.code, staged.err.splitlines()) == (code, found)
    standing = modelrelease("check")
    if case == "no papers":  # which as it stands could be from before there were papers
        assert standing.code == 0
    else:
        assert (standing.code, standing.err.splitlines()) == (code, found)
    live.git("commit", "--quiet", "--no-verify", "--message", "Unchecked")
    ranged = modelrelease("check", "--from-ref", "main")
    assert (ranged.code, ranged.err.splitlines()) == (code, found)


def test_papers_are_not_removed_again(live: Repository, hook: Hook) -> None:
    (live.folder / LIVE / "model.json").unlink()
    (line,) = lines(hook())
    assert line.startswith(f"{LIVE}/model.json: MR420 was removed, and a version needs it; ")


def test_the_checkpoint_of_a_prompt_only_version_is_not_removed(live: Repository, hook: Hook) -> None:
    add_version(live, NEW, weights=False, same_as="model_v1.0")
    live.commit("A version with other prompts")
    live.git("rm", "-r", "--quiet", LIVE)
    (line,) = lines(hook())
    assert line.startswith(f"{NEW}/model.json:24: MR424 `same_as` names model_v1.0, which is not here; ")


def test_a_parent_may_be_gone_or_released_elsewhere(live: Repository, hook: Hook) -> None:
    live.git("rm", "-r", "--quiet", LIVE)
    live.commit("Only the newest stays")
    add_version(live, NEW, edit=lambda record: record.update(parent="model_v1.0"))
    assert hook().code == 0
    live.git("tag", "bot/model_v0.9")
    edit_papers(live, NEW, lambda record: record.update(parent="model_v0.9"))
    assert hook().code == 0


def test_what_did_not_change_is_not_hashed_again(live: Repository, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelrelease.git.objects import Objects

    read: list[str] = []
    stream = Objects.stream
    monkeypatch.setattr(Objects, "stream", lambda self, oid: read.append(oid) or stream(self, oid))
    edit_papers(live, LIVE, lambda record: record.update(license="mit"))
    live.write(f"{LIVE}/README.md", "# Card\n")
    assert hook().code == 0
    assert read == []
    edit_papers(live, LIVE, lambda record: record["checkpoint"]["files"][2].update(sha256="0" * 64))
    assert len(lines(hook())) == 2
    assert read
    live.git("checkout", "--quiet", "HEAD", "--", LIVE)
    del read[:]
    live.commit("Back")
    assert hook().code == 0  # everything as it stands
    assert read


def test_the_folder_of_versions_is_the_config_s(live: Repository, hook: Hook) -> None:
    live.git("mv", "models", "weights")
    live.edit("modelrelease.yaml", "schema_version: 1\n", "schema_version: 1\nmodels: weights\n")
    live.write("models/model_v1.py/notes.txt", "no version\n")
    (live.folder / "weights/model_v1.0/checkpoint/config.json").write_text("[]\n")
    live.stage()
    assert hooks.main(["model-layout"]) == 1
    (live.folder / "weights/model_v1.0/checkpoint/config.json").write_bytes(FILES["config.json"])
    live.stage()
    assert hooks.main(["model-layout"]) == 0


def test_a_merge_brings_no_new_version(repository: Repository, hook: Hook) -> None:
    repository.git("checkout", "--quiet", "-b", "other")
    repository.write(f"{LIVE}/checkpoint/config.json", "{}\n")
    repository.commit("Without papers, as before")
    repository.git("checkout", "--quiet", "main")
    repository.write("README.md", "Ours.\n")
    repository.commit()
    repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
    assert hook() == Ran(0, "", "")


def test_the_work_tree_is_checked_by_what_lies_there(live: Repository, modelrelease: Callable[..., Ran]) -> None:
    ran = modelrelease("check")
    assert (ran.code, ran.out.splitlines()[1]) == (0, "1 version folder, as their papers say")
    live.write(".gitignore", "*.pt\n")
    live.write(f"{LIVE}/checkpoint/optimizer.pt", b"left by a Trainer, and ignored")
    assert modelrelease("check").code == 0
    live.write(f"{LIVE}/checkpoint/more.json", b"{}")
    assert f"{LIVE}/checkpoint/more.json: MR421 is not in model.json" in modelrelease("check").err
    (live.folder / LIVE / "checkpoint" / "more.json").unlink()
    live.write(f"{LIVE}/checkpoint/model.safetensors", FILES["model.safetensors"][:-1] + b"x")
    found = json.loads(modelrelease("check", "--json").out)
    assert (found["versions"], found["exit_code"]) == (1, 1)
    assert [finding["code"] for finding in found["findings"]] == ["MR421"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_large_blobs_are_hashed_in_pieces(live: Repository, hook: Hook, tmp_path: Path) -> None:
    import subprocess
    import sys

    size = 400 << 20
    with (live.folder / LIVE / "checkpoint" / "model.safetensors").open("wb") as stream:
        stream.truncate(size)
    live.git("config", "core.compression", "0")
    live.stage()
    program = (
        "from pathlib import Path\nfrom modelrelease.cli.hooks import main\ncode = main(['model-layout'])\n"
        # Not getrusage: after exec it still counts the process that was forked, which holds torch here.
        "print(code, Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=live.folder, capture_output=True, text=True, check=True)
    code, peak = map(int, done.stdout.split())
    assert code == 1
    assert "model.safetensors: MR421 has 419,430,400 bytes, and model.json says 2,048,000" in done.stderr
    assert peak < 150_000  # kilobytes


def test_the_page_on_versions_knows_every_code_and_the_tests_every_code_of_the_page() -> None:
    import re

    page = (Path(__file__).resolve().parents[2] / "docs" / "versions.md").read_text("utf-8")
    codes = set(re.findall(r"MR\d{3}", "".join(line for line in page.splitlines() if line.startswith("| `MR"))))
    ours = {code.value for code in Code if code.value.startswith("MR42")}
    assert ours <= codes <= {code.value for code in Code}
    elsewhere = {Code.LFS_POINTER.value, Code.FETCHED.value}  # where weights are loaded: tests/flows
    assert codes - elsewhere == {code for _, _, said in BAD.values() for code in re.findall(r"MR\d{3}", said)} & codes


def test_the_addresses_of_the_page_are_taken(live: Repository, hook: Hook) -> None:
    import re

    page = (Path(__file__).resolve().parents[2] / "docs" / "versions.md").read_text("utf-8")
    sources = re.findall(r'"source": "([^"]+)"', page)
    assert [source.partition(":")[0] for source in sources] == ["hf", "file", "s3"]
    for number, source in enumerate(sources, 1):
        address = source.replace("<commit>", COMMIT)
        add_version(live, f"models/model_v1.{number}", weights=False, source=address)
    (same_as,) = re.findall(r'"same_as": "([^"]+)"', page)
    add_version(live, "models/model_v2.0", weights=False, same_as=same_as)
    assert hook().code == 0
