"""The hooks, called as pre-commit calls them; the manifest that names them."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from commands import Ran
from governed_repository import NAME, REASON, ROWS, TODAY, Repository, git, jsonl

from modelrelease.cli import hooks

ROOT = Path(__file__).resolve().parents[2]
IDS = ["modelrelease", "change-metadata", "dataset-rows", "model-layout", "release-config", "no-pickle-weights"]
DATA, LOG = "datasets/qa.jsonl", "datasets/qa.jsonl.changes.jsonl"
Hook = Callable[..., Ran]


@pytest.fixture
def hook(repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Return a function that runs a hook in the repository and sees that it changes nothing."""
    monkeypatch.chdir(repository.folder)
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Ran:
        before = repository.state()
        capsys.readouterr()
        code = hooks.main(arguments)
        printed = capsys.readouterr()
        assert repository.state() == before
        return Ran(code, printed.out, printed.err)

    return run


def said(ran: Ran, code: int = 1) -> list[str]:
    assert (ran.code, ran.out) == (code, "")
    return ran.err.splitlines()


def test_the_manifest_names_every_hook_and_passes_no_names() -> None:
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [entry["id"] for entry in manifest] == IDS == list(hooks.IDS)
    for entry in manifest:
        assert entry["entry"] == f"modelrelease-hook {entry['id']}"
        assert (entry["pass_filenames"], entry["always_run"], entry["language"]) == (False, True, "python")
        assert entry["stages"] == ["pre-commit", "pre-push"]
        assert "additional_dependencies" not in entry


@pytest.mark.parametrize("name", IDS)
def test_what_is_fine_passes_in_silence(hook: Hook, repository: Repository, name: str) -> None:
    assert hook(name) == Ran(0, "", "")  # nothing staged: all of the index
    repository.write("README.md", "Ours.\n")
    repository.stage()
    assert hook(name) == Ran(0, "", "")


@pytest.mark.parametrize(
    "arguments", [(), ("other",), ("modelrelease", "a.yaml"), ("model-layout", "--leakage-against", "x")]
)
def test_misuse_is_said(hook: Hook, arguments: tuple[str, ...]) -> None:
    (line,) = said(hook(*arguments), 2)
    assert line.startswith("modelrelease-hook: MR601 was called in a way it does not take; name one of modelrelease, ")


def test_one_process_says_what_all_hooks_say(hook: Hook, repository: Repository) -> None:
    repository.write(DATA, jsonl([*ROWS, {"id": "5", "question": "?", "answer": ""}]))
    repository.write("weights.txt", pickle.dumps({"a": [1, 2, 3]}, protocol=4))
    repository.stage()
    alone = {line for name in IDS[1:] for line in hook(name).err.splitlines()}
    assert set(said(hook("modelrelease"), 2)) == alone
    assert len(alone) == 4


def test_with_nothing_staged_every_governed_file_needs_a_record(hook: Hook, repository: Repository) -> None:
    repository.write("prompts/a.yaml", "template: x\n")
    repository.write("prompts/link.yaml", "")
    (repository.folder / "prompts/link.yaml").unlink()
    (repository.folder / "prompts/link.yaml").symlink_to("a.yaml")
    repository.git("rm", "--quiet", "--cached", LOG)
    repository.git("commit", "--quiet", "--message", "No log")
    repository.git("add", "prompts")
    repository.git("commit", "--quiet", "--message", "Prompts")
    found = [line.partition(";")[0] for line in said(hook("change-metadata"))]
    assert found == [
        f"{DATA}: MR101 has no change record: qa.jsonl.changes.jsonl is missing or empty",
        "prompts/a.yaml:1: MR101 has no change record",
        "prompts/link.yaml: MR108 is a symbolic link",
    ]


def test_a_push_is_checked_as_a_range(hook: Hook, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    start = repository.git("rev-parse", "HEAD").strip()
    repository.edit(DATA, "It is 1.", "It is one.")
    end = repository.commit("Unexplained")
    assert hook("change-metadata").code == 0
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", start)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", end)
    assert said(hook("change-metadata"))[0].startswith(f"{DATA}:1: MR101 changed (1 row changed)")


def test_a_second_push_of_a_branch_keeps_the_reason(
    hook: Hook, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    head = repository.read("prompts/qa.prompt.yml").replace("Q: ", "Question: ").partition("author:")[0]
    record = f"author: {NAME}\nreason: {REASON}\ndate: {TODAY}\n"
    repository.write("prompts/qa.prompt.yml", head + record)
    first = repository.commit()
    repository.edit("prompts/qa.prompt.yml", "Question: ", "The question: ")
    second = repository.commit()
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", first)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", second)
    assert hook("modelrelease") == Ran(0, "", "")
    repository.edit(DATA, "It is 1.", "It is one.")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", repository.commit())
    assert [line.partition(":")[0] for line in said(hook("modelrelease"))] == [DATA]


def test_the_index_of_another_repository_s_hook_is_not_read(
    hook: Hook, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    other.write("prompts/x.yaml", "template: x\n")
    other.stage()
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git" / "index"))
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    assert hook("modelrelease") == Ran(0, "", "")


BAD_ROWS = [
    ('{"id": "a", "x": NaN}', "MR204 `NaN` is no finite number"),
    ('{"id": "a", "id": "b"}', "MR203 the key `id` stands twice"),
    ('{"id": "a", "x": ' + "9" * 5000 + "}", "MR204 a whole number of 5000 digits is too long"),
    ('{"id": "a", "x": "\\ud800"}', "MR201 a text holds half of a surrogate pair"),
    ('{"id": "a", "x": ', "MR201 is not valid JSON"),
    ("[1]", "MR208 a row is [1] (a list)"),
    ('{"question": "?"}', "MR304 the row has no `id`"),
    ('{"id": "1", "question": "again"}', "MR303 the id `1` stands in line 1 and line 6"),
    ('{"id": "a", "question": 7}', "MR112 `question` is a number here and text in line 1"),
    ('{"id": "a", "answer": " "}', "MR113 `answer` is"),
    ('{"id": "a", "answer": null}', "MR113 `answer` is null"),
    ('{"id": "a"}\r', "MR114 the line ends change here between LF and CRLF"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS, ids=[message[:16] for _, message in BAD_ROWS])
def test_exactly_the_bad_row_is_listed(hook: Hook, repository: Repository, row: str, message: str) -> None:
    good = '{"id": "b\\u2028", "question": "a\u2028b", "answer": "x"}'
    repository.write(DATA, jsonl(ROWS) + row + "\n" + good + "\n")
    repository.stage()
    lines = said(hook("dataset-rows"), 2 if " MR1" not in f" {message}" else 1)
    bad = [line for line in lines if ":7: MR114" not in line]  # the row after a CRLF ends otherwise again
    assert len(bad) == 1
    place, _, text = bad[0].partition(" ")
    assert place.startswith(f"{DATA}:6:")
    assert text.startswith(message)


def test_a_dataset_that_is_new_is_checked_whole(hook: Hook, repository: Repository) -> None:
    repository.write("datasets/new.jsonl", jsonl([{"id": 1, "a": "x"}, {"id": 1, "a": "y"}, {"id": 2, "a": 3}]) + "\n")
    repository.write("datasets/new.csv", "id,a\n1,x\n1,y\n2\n")
    repository.write("datasets/new.json", '[{"id": 1}, {"no": 2}]')
    repository.write("datasets/prompt.json", '{"template": "x"}')
    repository.write("datasets/words.json", '["no", "rows", 7]')
    repository.stage()
    assert [line.partition(";")[0].partition(" the ")[0] for line in said(hook("dataset-rows"), 2)] == [
        "datasets/new.csv:3: MR303",
        "datasets/new.csv:4: MR208",
        "datasets/new.json:1: MR304",
        "datasets/new.jsonl:2: MR303",
        "datasets/new.jsonl:3: MR112 `a` is a number here and text in line 1",
    ]


def test_rows_that_also_train_are_named(hook: Hook, repository: Repository, tmp_path: Path) -> None:
    question = "Which of these seven words is the longest one of them all, if any is?"
    rows = [
        *ROWS,
        {"id": "6", "question": question, "answer": "None"},
        {"id": "7", "question": "A quite different one here", "answer": "b"},
    ]
    repository.write(DATA, jsonl(rows))
    repository.stage()
    training = tmp_path / "train.jsonl"
    training.write_text(
        jsonl(
            [
                {"text": "nothing"},
                {"text": f"Q: {question.upper()} A: none of them"},
                {"text": "a quite, different one here; b"},
            ]
        )
    )
    lines = said(hook("dataset-rows", "--leakage-against", str(training)))
    assert [line.replace(str(training), "T") for line in lines] == [
        f"{DATA}:6: MR115 also stands in T, line 2: 89% of its runs of 8 words; take it out of one of the two",
        f"{DATA}:7: MR115 also stands in T, line 3: the same text; take it out of one of the two",
    ]
    assert said(hook("dataset-rows", "--leakage-against", "nowhere"), 2)[0].startswith("nowhere: MR209 does not exist")


def torch_like() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"w": 1}, protocol=2))
    return buffer.getvalue()


PICKLES = {
    "protocol 2": pickle.dumps({"w": [1.0]}, protocol=2),
    "protocol 5": pickle.dumps({"w": [1.0]}, protocol=5),
    "protocol 0": pickle.dumps(OSError("x"), protocol=0),
    "torch": torch_like(),
    "gzip": gzip.compress(pickle.dumps(list(range(100)), protocol=4)),
    "numpy": b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'shape': (1,), }".ljust(117) + b"\n\x80\x04K\x01.",
}
HARMLESS = {
    "text": b"collections\nare listed here\n",
    "utf-16": b"\xff\xfea\x00",
    "zip": b"PK\x03\x04" + bytes(40),
    "python": b"import collections\nc = 1\n",
    "safetensors": b"\x10\x00\x00\x00\x00\x00\x00\x00{}              ",
    "bytes": b"\x80\x02 is how a pickle begins",
    "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
    "empty": b"",
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_are_known_by_what_they_hold(hook: Hook, repository: Repository, name: str) -> None:
    repository.write("notes.md", PICKLES[name])
    repository.stage()
    (line,) = said(hook("no-pickle-weights"))
    assert line.startswith("notes.md: MR404 is a")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_pickle_passes(hook: Hook, repository: Repository, name: str) -> None:
    repository.write("model.bin", HARMLESS[name])
    repository.stage()
    assert hook("no-pickle-weights").code == 0


def test_a_large_file_is_judged_by_its_beginning(hook: Hook, repository: Repository) -> None:
    repository.write("a.bin", b"\x80\x04]" + b"K\x01" * (3 << 20))
    repository.write("b.bin", bytes(5 << 20))
    repository.write("c.bin", PICKLES["torch"])
    repository.stage()
    assert [line.partition(":")[0] for line in said(hook("no-pickle-weights"))] == ["a.bin", "c.bin"]


STATE = "is what training goes on from, and no part of a checkpoint"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("models/model_v1.0/checkpoint/optimizer.pt", PICKLES["torch"]),
        ("models/model_v1.0/checkpoint/trainer_state.json", b"{}"),
        ("models/model_v1.0/checkpoint/rng_state_1.pth", b"version https://git-lfs.github.com/spec/v1\n"),
        ("models/model_v1.0/checkpoint/global_step7/mp_rank_00_model_states.pt", PICKLES["torch"]),
        ("runs/training_args.bin", PICKLES["torch"]),
    ],
)
def test_what_a_trainer_goes_on_from_is_not_committed(
    hook: Hook, repository: Repository, path: str, content: bytes
) -> None:
    repository.write(path, content)
    repository.stage()
    (line,) = said(hook("no-pickle-weights"))
    assert (
        line == f"{path}: MR417 {STATE}; keep it where you train, or name it in .gitignore; where git has it: "
        f"`git rm --cached {path}`"
    )


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("models/model_v1.0/trainer_state.json", b"{}"),  # a log of the version
        ("logs/trainer_state.json", b"{}"),
        ("latest", b"notes"),
        ("runs/optimizer.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ("models/model_v1.0/checkpoint/pytorch_model.bin", b"version https://git-lfs.github.com/spec/v1\n"),
    ],
)
def test_logs_and_pointers_are_nobody_s_pickles(hook: Hook, repository: Repository, path: str, content: bytes) -> None:
    repository.write(path, content)
    repository.stage()
    assert hook("no-pickle-weights").code == 0


def test_a_malformed_file_weighs_more_than_a_refused_one(hook: Hook, repository: Repository) -> None:
    repository.write("weights.bin", PICKLES["torch"])
    repository.write(DATA, "{\n")
    repository.stage()
    assert {line.partition(" ")[0] for line in said(hook("modelrelease"), 2)} >= {"weights.bin:"}


SUITE = """schema_version: 1
name: release
tasks:
  - name: qa
    kind: generate
    dataset: datasets/qa.jsonl
    prompt: prompts/qa.prompt.yml
    target: answer
    max_new_tokens: 8
    metrics: [exact_match]
"""


def test_the_config_and_all_it_names_exist(hook: Hook, repository: Repository) -> None:
    record = f"change: {{author: {NAME}, reason: {REASON.replace(',', '')}, date: {TODAY}}}\n"
    repository.write("modelrelease.yaml", "schema_version: 1\nsuite: evals/release.yaml\n" + record)
    repository.stage()
    (line,) = said(hook("release-config"), 2)
    assert (
        line
        == "modelrelease.yaml: MR209 `suite` names evals/release.yaml, which is not in git; add it, or correct the name"
    )
    repository.write("evals/release.yaml", SUITE.replace("target: answer", "target: solution") + record)
    repository.stage()
    assert "MR313 `target: solution` names a field that no row" in said(hook("release-config"), 2)[0]
    repository.write("evals/release.yaml", SUITE.replace("schema_version: 1", "schema_version: 1\nnmae: x") + record)
    repository.stage()
    assert said(hook("release-config"), 2)[0].startswith("evals/release.yaml:2: MR206 unknown key `nmae`")
    repository.write("evals/release.yaml", SUITE + record)
    repository.stage()
    assert hook("release-config").code == 0
    repository.commit("Suite")
    repository.git("rm", "--quiet", DATA)
    assert said(hook("release-config"), 2)[0].startswith(f"{DATA}: MR209 is named by the suite and is not in git")


HEAVY = ("pydantic", "subprocess", "dataclasses", "typing", "pathlib", "argparse", "hashlib", "inspect", "tabulate")


@pytest.mark.parametrize(("change", "also"), [("README.md", ("yaml", "json_places")), ("prompts/qa.prompt.yml", ())])
def test_a_hook_waits_for_nothing_that_it_does_not_need(
    repository: Repository, change: str, also: tuple[str, ...]
) -> None:
    if change == "README.md":
        repository.write(change, "Ours.\n")
    else:
        head = repository.read(change).replace("Q: ", "Question: ").partition("author:")[0]
        repository.write(change, head + f"author: {NAME}\nreason: {REASON}\ndate: {TODAY}\n")
    repository.stage()
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom modelrelease.cli.hooks import main\n"
        "code = main(['modelrelease'])\n"
        f"print(code, sorted({set(HEAVY) | set(also)!r} & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 []\n", done


def test_ten_commits_need_one_reader(repository: Repository, tmp_path: Path) -> None:
    """One `git cat-file` serves every file of a call."""
    for number in range(10):
        record = f"author: {NAME}\nreason: {REASON}\ndate: {TODAY}\n"
        repository.write(f"prompts/p{number}.yaml", f"template: {number}\n{record}")
    repository.stage()
    trace = tmp_path / "trace"
    from modelrelease.flows.registry.check import check_changes, today
    from modelrelease.flows.registry.scope import open_git, staged_scope

    scope = staged_scope(open_git(str(repository.folder), {"GIT_TRACE2_EVENT": str(trace)}))
    assert check_changes(scope, today()).findings == []
    scope.objects.close()
    started = [json.loads(line) for line in trace.read_text().splitlines()]
    commands = [event["argv"] for event in started if event["event"] == "start"]
    assert sum("cat-file" in command for command in commands) == 1
    assert len(commands) <= 5
    assert git(repository.folder, "status", "--short").count("A ") == 10
