"""A README.md made twice is the same, people's text is theirs, and huggingface_hub reads what we wrote."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from builders import write
from hypothesis import example, given
from hypothesis import strategies as st
from papered_versions import CHILD, PEOPLE, papers

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, Refused
from modelrelease.records.model import ModelRecord
from modelrelease.records.results import read_results
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.version_story import Parent, VersionStory
from modelrelease.release.card.assemble import make_card
from modelrelease.release.card.layout import BEGIN, END, read_layout
from modelrelease.release.card.metadata import known_keys, model_index

SECTION = "## Evaluation\n\nNumbers.\n"
PATH = "models/model_v1.1/README.md"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> VersionStory:
    """Return a version with a multiple-choice task of two metrics, a perplexity, and one metric without a value."""
    folder = tmp_path_factory.mktemp("card") / CHILD
    tasks: Any = {
        "qa": {"acc": [1.0, 0.0, 1.0], "acc_norm": [1.0, 1.0, 1.0]},
        "lm": {"nll": [1.5, 2.5]},
        "failed": {"f1": [None]},
    }
    write(folder, tasks, model=CHILD)
    return told(read_results(folder).evaluation)


def told(evaluation: Any, **model: Any) -> VersionStory:
    return VersionStory(
        folder=f"models/{CHILD}",
        version=CHILD,
        model=ModelRecord.model_validate_json(json.dumps(papers(CHILD, **model))),
        evaluation=evaluation,
        parent=Parent(version=None, state="none"),
        judged=None,
        changes=None,
        changes_unknown=None,
        reproduced=None,
    )


def make(existing: str | None, story: VersionStory, section: str = SECTION) -> str:
    data = None if existing is None else existing.encode("utf-8")
    return make_card(data, story, section, PATH).data.decode("utf-8")


def test_a_first_card_has_a_title_the_keys_that_are_known_and_our_part(story: VersionStory) -> None:
    text = make(None, story)
    assert text.startswith("---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n  - modelrelease\n")
    assert text.endswith(f"---\n\n# {CHILD}\n\n{BEGIN}\n\n{SECTION}\n{END}\n")
    assert make(text, story) == make("  \n", story) == text


def test_what_people_said_stays_and_what_they_did_not_say_is_added_last(story: VersionStory) -> None:
    before = f"---\n{PEOPLE}library_name: 'other'\n# by hand\ntags: [small]\n---\n# Ours\n\nText."
    text = make(before, story)
    front = read_layout(text.encode("utf-8"), PATH).front
    assert front.startswith(
        f"{PEOPLE}library_name: 'other'\n# by hand\ntags: [small]\npipeline_tag: text-generation\nmodel-"
    )
    assert text.endswith(f"---\n# Ours\n\nText.\n\n{BEGIN}\n\n{SECTION}\n{END}\n")


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        ({}, {}),
        ({"license": "MIT", "base_model": "acme/base"}, {"license": "mit", "base_model": "acme/base"}),
        ({"license": "Apache License 2.0", "base_model": "../base"}, {}),
        ({"checkpoint": {"format": "gguf"}}, {"library_name": None}),
    ],
)
def test_only_what_is_recorded_is_filled_in(model: dict[str, Any], keys: dict[str, Any]) -> None:
    always = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["modelrelease"]}
    expected = {key: value for key, value in {**always, **keys}.items() if value is not None}
    assert known_keys(told(None, **model)) == expected


def test_an_older_version_s_numbers_are_replaced_and_do_not_outlive_the_record(story: VersionStory) -> None:
    other = make(None, story).replace(f"name: {CHILD}", "name: model_v1.0").replace("value: 1.0", "value: 0.25")
    assert make(other, story) == make(None, story)
    unscored = make(other, told(None))
    assert "model-index" not in unscored
    assert unscored.endswith(f"{END}\n")


OTHERS = [
    "[{name: base, results: [{task: {type: text-generation}, dataset: {type: x, name: x}, metrics: []}]}]",
    "[{name: base, results: [{dataset: {type: x, name: x, revision: 5503434ddd753f426f4b38109466949a1217c2bb}}]}]",
    "[{name: base}]",
    "mine",
    "{a: b}",
]


@pytest.mark.parametrize("value", OTHERS)
def test_results_that_no_record_gave_are_not_overwritten(story: VersionStory, value: str) -> None:
    with pytest.raises(Refused) as raised:
        make(f"---\n{PEOPLE}model-index: {value}\n---\n", story)
    assert raised.value.lines() == [
        f"{PATH}:6: MR434 `model-index` holds results that no eval.json gave; move them into the text, or take them "
        "out: what stands in it is written from the record"
    ]


def test_a_verified_mark_is_not_ours_to_give(story: VersionStory) -> None:
    text = make(None, story)
    forged = text.replace("            name: qa/acc\n", "            name: qa/acc\n            verified: true\n", 1)
    assert forged != text
    assert make(forged, story) == text


def test_our_markers_in_what_a_model_put_out_end_nothing(story: VersionStory) -> None:
    section = f"```text\n{END}\n{BEGIN}\n<!--modelrelease : END-->\n```\n"
    text = make(None, story, section)
    assert make(text, story, section) == text
    assert text.count("\n" + END) == text.count("\n" + BEGIN) == 1


def test_line_ends_are_those_of_the_file(story: VersionStory) -> None:
    text = make(f"---\r\n{PEOPLE}---\r\n# Ours\r\n".replace("\n", "\r\n").replace("\r\r", "\r"), story)
    assert "\n" not in text.replace("\r\n", "")
    assert make(text, story) == text


PIECES = [*"ab-`~#<>! \t{}[]|é\u200b\u2028\U0001f600", "\n", "\n\n", "---\n", "```\n", "<!-- x -->\n"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(before=TEXTS, after=TEXTS, crlf=st.booleans(), bom=st.booleans(), people=st.sampled_from(["", PEOPLE]))
@example(before="", after="", crlf=False, bom=False, people="")
def test_people_s_text_is_theirs_and_twice_is_once(
    story: VersionStory, before: str, after: str, crlf: bool, bom: bool, people: str
) -> None:
    end = "\r\n" if crlf else "\n"
    front = f"---\n{people}---\n" if people else ""
    text = (("\ufeff" if bom else "") + front + before).replace("\n", end)
    try:
        own = read_layout(text.encode("utf-8"), PATH)
        first = make(text, story)
    except (InvalidInput, Refused):  # a rule at the beginning makes front matter of what follows, or of nothing
        assert not people
        assert text.lstrip("\ufeff \t\r\n\u2028").startswith("---")
        return
    assert make(first, story) == first
    layout = read_layout(first.encode("utf-8"), PATH)
    assert layout.bom == (own.bom if text.strip() else "")
    assert layout.after == layout.end
    assert layout.before.startswith((own.before, layout.end + own.before)) or not text.strip("\ufeff \t\r\n")
    assert layout.front.startswith(own.front)
    # People go on writing, before our part and after it, and the record moves on.
    edited = first[: -len(layout.after)] + end + after.replace("\n", end)
    again = make(edited, story, "## Evaluation\n\nOther numbers.\n")
    found = read_layout(again.encode("utf-8"), PATH)
    assert (found.before, found.after) == (layout.before, end + after.replace("\n", end))
    assert found.front == layout.front
    assert make(again, story) == edited


def test_huggingface_hub_reads_the_numbers_of_the_record(story: VersionStory) -> None:
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import model_index_to_eval_results

    text = make(f"---\n{PEOPLE}---\n# Ours\n", story)
    card = ModelCard(text)
    assert card.data.to_dict()["model-index"] == model_index(CHILD, story.evaluation)
    assert (card.data.license, card.data.language, card.data.datasets) == ("mit", "en", [])
    name, results = model_index_to_eval_results(model_index(CHILD, story.evaluation) or [])
    assert name == CHILD
    assert [(r.metric_name, r.metric_type, r.metric_value, r.dataset_name) for r in results] == [
        ("qa/acc", "accuracy", 2 / 3, "datasets/qa.jsonl"),
        ("qa/acc_norm", "acc_norm", 1.0, "datasets/qa.jsonl"),
        ("lm/nll", "nll", 2.0, "datasets/lm.jsonl"),
    ]
    assert all(r.verified is None and r.verify_token is None and r.task_type == "text-generation" for r in results)
    # Saved by huggingface_hub, it says the same: what its form lost is not written again and again.
    assert make(str(card), story) == str(card)


def test_the_hub_s_own_template_is_kept_and_its_gaps_are_named(story: VersionStory) -> None:
    from huggingface_hub import ModelCard, ModelCardData

    template = str(ModelCard.from_template(ModelCardData(language="en", license="mit"), model_id="Ours"))
    card = make_card(template.encode("utf-8"), story, SECTION, PATH)
    text = card.data.decode("utf-8")
    assert template.partition("---\n")[2].partition("---\n")[2] in text
    lines = text.split("\n")
    gaps = [finding for finding in card.findings if finding.code is Code.CARD_PLACEHOLDER]
    assert len(gaps) == 20  # and more, which say nothing new
    assert all("more information needed" in lines[(finding.line or 0) - 1].lower() for finding in gaps)
    assert [f.message for f in card.findings if f.code is Code.CARD_KEY] == [
        "`base_model` is missing",
        "`datasets` is missing",
    ]


def test_a_trainer_s_card_becomes_ours_and_keeps_its_text(story: VersionStory) -> None:
    from transformers.modelcard import TrainingSummary

    trainer = TrainingSummary(
        model_name="output", language="en", license="mit", tags=["generated_from_trainer"], finetuned_from="acme/base",
        hyperparameters={"learning_rate": 5e-5}, eval_lines=[{"Epoch": 1, "Step": 10}], eval_results={"Loss": 2.5},
    ).to_model_card()  # fmt: skip
    card = make_card(trainer.encode("utf-8"), story, SECTION, PATH)
    text = card.data.decode("utf-8")
    assert trainer.rpartition("---\n")[2] in text
    assert "name: output" not in text  # its own model-index has no results
    assert [finding.message.partition("` ")[0] for finding in card.findings] == [
        "`datasets",
        *["`More information needed"] * 3,
    ]
    assert make(text, story) == text


@contextmanager
def hub(expected: Any) -> Iterator[str]:
    """Run the Hub's endpoint for cards: reads as YAML 1.2 does, and refuses what is not as expected."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            front = read_layout(body["content"].encode("utf-8"), "README.md").front
            answered = (self.path, body["repoType"], read_yaml(front, "README.md").value.get("model-index"))
            status = 200 if answered == ("/api/validate-yaml", "model", expected) else 400
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"model-index is not as it should be" if status == 400 else b"{}")

        def log_message(self, *arguments: Any) -> None:
            logging.getLogger("hub").debug("%s", arguments)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_huggingface_hub_s_own_validation_passes_against_a_hub(
    story: VersionStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import ModelCard, constants

    path = tmp_path / "README.md"
    path.write_bytes(make(f"---\n{PEOPLE}---\n# Ours\n", story).encode("utf-8"))
    with hub(model_index(CHILD, story.evaluation)) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # which scoring forbids its process
        ModelCard.load(path).validate()
        path.write_bytes(path.read_bytes().replace(b"value: 2.0", b"value: 1.0"))
        with pytest.raises(ValueError, match="not as it should be"):
            ModelCard.load(path).validate()
