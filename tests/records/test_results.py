from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Sample, replace, rewrite_samples, sha, write

from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import canonical_json, document_bytes
from modelrelease.records.results import Results, read_results

TASKS = {"qa": {"acc": [1.0, 0.0, 1.0], "acc_norm": [1.0, 1.0, 1.0]}, "text": {"f1": [0.25, None]}}
BY_HAND = "score again; eval.json is not edited by hand"
SAME_RUN = "take both files from the same run, or score again"
SAMPLES_BY_HAND = "score again; samples.jsonl is not edited by hand"


def refused(path: Path, root: Path) -> list[str]:
    """Return the findings, their paths relative to ``root``."""
    with pytest.raises(InvalidInput) as caught:
        read_results(path)
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{root}/") for line in caught.value.lines()]


def edit_document(folder: Path, **changes: Any) -> None:
    document = json.loads((folder / "eval.json").read_text("utf-8"))
    for path, value in changes.items():
        replace(document, path, value)
    (folder / "eval.json").write_bytes(document_bytes(document))


def edit_samples(folder: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change lines of samples.jsonl and let eval.json name the new file."""
    lines = (folder / "samples.jsonl").read_bytes().splitlines(keepends=True)
    rewrite_samples(folder, b"".join(edit(lines)))


def on_line(number: int, old: str, new: str | bytes) -> Callable[[list[bytes]], list[bytes]]:
    """Return an edit of the line ``number``, counted from 1."""

    def edit(lines: list[bytes]) -> list[bytes]:
        assert old.encode() in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old.encode(), new if isinstance(new, bytes) else new.encode())
        return lines

    return edit


def test_samples_are_kept_column_by_column_and_read_again_one_by_one(tmp_path: Path) -> None:
    def with_slices(sample: Sample) -> None:
        sample["slices"] = {"kind": "odd" if int(sample["item_id"]) % 2 else "even"}
        sample["truncated"] = sample["item_id"] == "2"

    results = read_results(write(tmp_path / "a", TASKS, edit=with_slices))
    qa, text = results.tasks["qa"], results.tasks["text"]
    assert (qa.ids, qa.scores) == (["1", "2", "3"], {"acc": [1.0, 0.0, 1.0], "acc_norm": [1.0, 1.0, 1.0]})
    assert qa.slices == [(("kind", "odd"),), (("kind", "even"),), (("kind", "odd"),)]
    assert (qa.errors, qa.truncated, text.errors, text.truncated) == (set(), {"2"}, {"2"}, {"2"})
    assert text.scores["f1"][0] == 0.25
    assert math.isnan(text.scores["f1"][1])
    assert text.values("f1") == [0.25]
    assert results.sample("qa", 1)["scores"] == {"acc": 0.0, "acc_norm": 1.0}
    assert results.sample("text", 1)["error"] == "it could not be scored"


def test_a_folder_and_the_file_in_it_are_the_same_evaluation(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", TASKS)
    for path in (folder, folder / "eval.json"):
        results = read_results(path)
        assert (results.path, results.samples_path) == (str(folder / "eval.json"), folder / "samples.jsonl")
    assert outcomes(read_results(folder)) == outcomes(read_results(folder / "eval.json"))


def outcomes(results: Results) -> dict[str, list[int]]:
    return {name: list(task.outcomes) for name, task in results.tasks.items()}


def test_outcomes_are_equal_where_lines_are_and_nowhere_else(tmp_path: Path) -> None:
    def change_the_second(sample: Sample) -> None:
        sample["prompt_tokens"] += sample["item_id"] == "2"

    one = outcomes(read_results(write(tmp_path / "a", TASKS)))
    other = outcomes(read_results(write(tmp_path / "b", TASKS, edit=change_the_second)))
    assert [a == b for a, b in zip(one["qa"], other["qa"], strict=True)] == [True, False, True]


def with_lines(finding: str, folder: Path) -> str:
    """Return a finding of eval.json (E) with ``<key n>`` replaced by the line of the nth such key, from 0."""
    finding = re.sub(r"^E:", "a/eval.json:", finding)
    return re.sub(r"<(\w+) (\d)>", lambda match: str(lines_of(folder, match[1])[int(match[2])]), finding)


def lines_of(folder: Path, key: str) -> list[int]:
    """Return the lines of eval.json on which ``key`` stands; ``metric``: on which one begins."""
    lines = (folder / "eval.json").read_text("utf-8").splitlines()
    if key == "metric":
        return [number - 1 for number in lines_of(folder, "binary")]
    return [number for number, line in enumerate(lines, start=1) if line.lstrip().startswith(f'"{key}":')]


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        (
            {"samples.path": "../samples.jsonl"},
            ['E:<path 0>: MR208 `samples.path` is "../samples.jsonl" (text); '],
        ),
        ({"samples.path": "/etc/passwd"}, ['E:<path 0>: MR208 `samples.path` is "/etc/passwd" (text); ']),
        ({"samples.path": "other.jsonl"}, ["a/other.jsonl: MR209 does not exist; name an existing file"]),
        ({"samples.count": 4}, [f"a/samples.jsonl: MR502 has 5 lines and eval.json says 4; {SAME_RUN}"]),
        (
            {"samples.sha256": sha("another file")},
            [f"a/samples.jsonl: MR501 is not the file that eval.json names (other sha256); {SAME_RUN}"],
        ),
        (
            {"suite.tasks.0.items": 2},
            [f"E:<items 0>: MR502 the task `qa` has 2 items here and 3 in the samples; {SAME_RUN}"],
        ),
        (
            {"metrics.0.value": 0.5},
            [
                "E:<value 0>: MR506 the metric `qa/acc` has the value 0.5 here and 0.6666666666666666 in the "
                f"samples; {SAME_RUN}"
            ],
        ),
        (
            {"metrics.2.n": 2},
            [f"E:<n 2>: MR506 the metric `text/f1` has the n 2 here and 1 in the samples; {SAME_RUN}"],
        ),
        (
            {"metrics.2.value": None},
            [f"E:<value 2>: MR506 the metric `text/f1` has the value null here and 0.25 in the samples; {SAME_RUN}"],
        ),
        (
            {"metrics.1.task": "qb"},
            [f"E:<metric 1>: MR506 the metric `qb/acc_norm` is of a task that the suite does not have; {BY_HAND}"],
        ),
        (
            {"metrics.1.metric": "acc"},
            [
                f"E:<metric 0>: MR308 the metric `qa/acc` stands twice; {BY_HAND}",
                f"E:<metric 1>: MR308 the metric `qa/acc` stands twice; {BY_HAND}",
            ],
        ),
        ({"suite.tasks.1.name": "qa"}, [f"E:<tasks 0>: MR310 the task `qa` stands twice; {BY_HAND}"]),
        (
            {"metrics.0.range": [0.0, 2.0]},
            [f"E:<metric 0>: MR208 the metric `qa/acc` is binary, and its range is not 0 to 1; {BY_HAND}"],
        ),
        (
            {"metrics.2.range": [1.0, 1.0]},
            [f"E:<metric 2>: MR208 the metric `text/f1` has the empty range 1 to 1; {BY_HAND}"],
        ),
        (
            {"metrics.0.n": 4},
            [f"E:<n 0>: MR506 the metric `qa/acc` has the n 4 here and 3 in the samples; {SAME_RUN}"],
        ),
        (
            {"metrics.0.higher_is_better": False},
            [f"E:<metric 0>: MR208 the metric `qa/acc` is not described as that metric is; {BY_HAND}"],
        ),
        (
            {"metrics.0.binary": False},
            [f"E:<metric 0>: MR208 the metric `qa/acc` is not described as that metric is; {BY_HAND}"],
        ),
        ({"schema_version": 2}, ["E:<schema_version 0>: MR208 `schema_version` is 2 (a whole number); it must be 1"]),
        ({"metrics.0.binary": 1}, ["E:<binary 0>: MR208 `metrics[0].binary` is 1 (a whole number); it must be true"]),
        ({"suite.tasks": []}, ["E:<tasks 0>: MR208 `suite.tasks` is an empty list; tuple should have at least 1 item"]),
        ({"extra": 1}, ["E:<extra 0>: MR206 unknown key `extra`; known keys: schema_version"]),
    ],
)
def test_an_eval_json_that_contradicts_itself_or_its_samples_is_refused(
    tmp_path: Path, changes: dict[str, Any], findings: list[str]
) -> None:
    folder = write(tmp_path / "a", TASKS)
    edit_document(folder, **changes)
    found = refused(folder, tmp_path)
    if changes.keys() & {"suite.tasks.1.name"}:
        found = found[:1]  # the metrics of the task that is gone follow
    expected = [with_lines(finding, folder) for finding in findings]
    assert [line[: len(finding)] for line, finding in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("edit", "findings"),
    [
        (
            on_line(2, '"acc":0.0', '"acc":NaN'),
            ["a/samples.jsonl:2: MR204 `NaN` is no finite number; write a finite number, null, or text in quotes"],
        ),
        (
            on_line(2, '"acc":0.0', '"acc":"0.0"'),
            ['a/samples.jsonl:2: MR208 `scores.acc` is "0.0" (text); it must be a number'],
        ),
        (
            on_line(3, '"acc":1.0', '"acc":2.0'),
            [f"a/samples.jsonl:3: MR503 the score `acc` is 2.0 (a number), and it must be 0 or 1; {SAMPLES_BY_HAND}"],
        ),
        (
            on_line(4, '"f1":0.25', '"f1":-0.25'),
            [
                "a/samples.jsonl:4: MR503 the score `f1` is -0.25 (a number), and it must be from 0 to 1; "
                f"{SAMPLES_BY_HAND}"
            ],
        ),
        (
            on_line(2, '"item_id":"2"', '"item_id":"1"'),
            [f"a/samples.jsonl:2: MR303 the item `1` stands twice; {SAMPLES_BY_HAND}"],
        ),
        (on_line(1, '"tie":false,', ""), ["a/samples.jsonl:1: MR207 `tie` is missing; add it"]),
        (
            on_line(1, '"tie"', '"ties"'),
            [
                "a/samples.jsonl:1: MR207 `tie` is missing; add it",
                "a/samples.jsonl:1: MR206 unknown key `ties`; did you mean `tie`?",
            ],
        ),
        (
            on_line(5, "{", "{{"),
            ["a/samples.jsonl:5:2: MR201 is not valid JSON: Expecting property name enclosed in double quotes"],
        ),
        (
            on_line(5, "it could", b"\xff could"),
            [f"a/samples.jsonl:5: MR202 byte 0xff is not UTF-8; {SAMPLES_BY_HAND}"],
        ),
        (
            on_line(5, '"scores":{}', '"scores":{"f1":1.0}'),
            [f"a/samples.jsonl:5: MR503 has an error and scores; {SAMPLES_BY_HAND}"],
        ),
        (
            on_line(1, '"task":"qa"', '"task":"qb"'),
            [f"a/samples.jsonl:1: MR208 the task `qb` is not in eval.json; {SAMPLES_BY_HAND}"],
        ),
        (
            on_line(1, ',"acc_norm":1.0', ""),
            [f"a/samples.jsonl:1: MR503 has scores for `acc`, and eval.json for `acc`, `acc_norm`; {SAMPLES_BY_HAND}"],
        ),
        (
            on_line(1, '"acc":1.0', '"acc":0.0'),
            [
                "E:<value 0>: MR506 the metric `qa/acc` has the value 0.6666666666666666 here and "
                f"0.3333333333333333 in the samples; {SAME_RUN}"
            ],
        ),
        (
            lambda lines: [*lines, lines[-1].replace(b'"2"', b'"3"')],
            [f"a/samples.jsonl: MR502 has 6 lines and eval.json says 5; {SAME_RUN}"],
        ),
        (
            lambda lines: lines[:-1],
            [f"a/samples.jsonl: MR502 has 4 lines and eval.json says 5; {SAME_RUN}"],
        ),
        (lambda lines: [], [f"a/samples.jsonl: MR502 has 0 lines and eval.json says 5; {SAME_RUN}"]),
        (lambda lines: [b"\n", *lines[1:]], ["a/samples.jsonl:1:1: MR201 is not valid JSON: Expecting value"]),
        (
            lambda lines: [b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"],
            ["a/samples.jsonl: MR403 is a Git LFS pointer, not the file itself; run `git lfs pull`"],
        ),
        (
            lambda lines: [line.replace(b'"acc":1.0', b'"acc":3.0').replace(b"0.25", b"7.0") for line in lines],
            [
                f"a/samples.jsonl:1: MR503 the score `acc` is 3.0 (a number), and it must be 0 or 1; {SAMPLES_BY_HAND}",
                f"a/samples.jsonl:3: MR503 the score `acc` is 3.0 (a number), and it must be 0 or 1; {SAMPLES_BY_HAND}",
                "a/samples.jsonl:4: MR503 the score `f1` is 7.0 (a number), and it must be from 0 to 1; "
                f"{SAMPLES_BY_HAND}",
            ],
        ),
    ],
)
def test_samples_that_cannot_be_a_run_s_are_refused_with_their_line(
    tmp_path: Path, edit: Callable[[list[bytes]], list[bytes]], findings: list[str]
) -> None:
    folder = write(tmp_path / "a", TASKS)
    edit_samples(folder, edit)
    found = refused(folder, tmp_path)
    expected = [with_lines(finding, folder) for finding in findings]
    assert [line[: len(finding)] for line, finding in zip(found, expected, strict=True)] == expected


def test_a_cut_last_line_is_one_line_and_no_sample(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", TASKS)
    edit_samples(folder, lambda lines: [*lines[:-1], lines[-1][:40]])
    (found,) = refused(folder, tmp_path)
    assert found.startswith("a/samples.jsonl:5:")
    assert "MR201 is not valid JSON: " in found


def _no_file(folder: Path) -> None:
    (folder / "eval.json").unlink()


def _a_folder(folder: Path) -> None:
    (folder / "eval.json").unlink()
    (folder / "eval.json").mkdir()


def _no_samples(folder: Path) -> None:
    (folder / "samples.jsonl").unlink()


def _samples_folder(folder: Path) -> None:
    (folder / "samples.jsonl").unlink()
    (folder / "samples.jsonl").mkdir()


def _write(data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "eval.json").write_bytes(data)

    return change


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (_no_file, "a/eval.json: MR209 does not exist; name an existing file"),
        (_a_folder, "a/eval.json: MR209 is a folder; name an existing file"),
        (_no_samples, "a/samples.jsonl: MR209 does not exist; name an existing file"),
        (_samples_folder, "a/samples.jsonl: MR209 is a folder; name an existing file"),
        (_write(b""), "a/eval.json:1:1: MR201 is not valid JSON: Expecting value; correct it here"),
        (_write(b'{"engine": {'), "a/eval.json:1:13: MR201 is not valid JSON: Expecting property name"),
        (_write(b"[]"), "a/eval.json:1: MR208 the document is an empty list; it must be a mapping"),
        (_write(b'{"a": 1,\n "a": 2}'), "a/eval.json:2: MR203 the key `a` stands in lines 1 and 2; keep one of them"),
        (_write(b'{"a": NaN}'), "a/eval.json:1: MR204 `NaN` is no finite number"),
        (_write(b'{"a": \xff}'), "a/eval.json:1: MR202 byte 0xff is not UTF-8; save the file as UTF-8"),
        (
            _write(b"version https://git-lfs.github.com/spec/v1\n"),
            "a/eval.json: MR403 is a Git LFS pointer, not the file itself; run `git lfs pull`",
        ),
    ],
)
def test_a_file_that_is_not_there_or_no_document_is_refused(
    tmp_path: Path, change: Callable[[Path], None], finding: str
) -> None:
    folder = write(tmp_path / "a", TASKS)
    change(folder)
    assert refused(folder, tmp_path)[0].startswith(finding)


def test_a_path_that_names_nothing_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "b", tmp_path) == ["b: MR209 does not exist; name an existing file"]


def test_the_samples_may_be_a_link(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", TASKS)
    (folder / "samples.jsonl").rename(tmp_path / "elsewhere.jsonl")
    (folder / "samples.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    assert read_results(folder).tasks["qa"].ids == ["1", "2", "3"]
    assert read_results(folder).sample("qa", 2)["item_id"] == "3"


def test_scores_at_the_edge_of_the_floats_have_a_mean(tmp_path: Path) -> None:
    results = read_results(write(tmp_path / "a", {"text": {"perplexity": [1.7e308, 1.7e308, 1.7e308]}}))
    assert results.evaluation.metrics[0].value == 1.7e308


def test_keys_in_another_order_and_spaces_are_read_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", TASKS)
    edit_samples(
        folder,
        lambda lines: [json.dumps(dict(reversed(json.loads(line).items()))).encode() + b"\r\n" for line in lines],
    )
    results = read_results(folder)
    assert results.tasks["qa"].scores["acc"] == [1.0, 0.0, 1.0]
    assert canonical_json(results.sample("text", 0)).startswith('{"boundary_mismatch":false')


def test_the_record_of_another_version_is_refused_in_a_version_s_folder(tmp_path: Path) -> None:
    write(tmp_path / "model_v1.1", {"qa": {"acc": [1.0, 0.0]}}, model="model_v1.0")
    with pytest.raises(InvalidInput, match=r"MR507 is the record of `model_v1\.0`, in the folder of `model_v1\.1`"):
        read_results(tmp_path / "model_v1.1")
