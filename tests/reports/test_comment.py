from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from builders import decide, table
from hostile import ATTACKS, RESOLUTION, compared, hostile, pull_request
from hypothesis import given
from hypothesis import strategies as st
from inertness import ACTIVE, HEAD, RUN_URL, assert_inert, count
from markdown_it import MarkdownIt

from modelrelease.records.comparison import Comparability, Comparison, Flips
from modelrelease.records.config import CommentPolicy
from modelrelease.reports.budget import units
from modelrelease.reports.comment import LEAST_LIMIT, LIMIT, SUMMARY_LIMIT, About, comment_markdown, undecided_markdown

ABOUT = About(HEAD, RUN_URL, 4711, 1, 7, download=True)
SAMPLES = ("ids", "text", "none")
NOTHING = Comparability(same=(), differs=(), refused=())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("comment"))


@pytest.fixture(scope="module")
def comparison(plain: Comparison) -> Comparison:
    return pull_request(plain)


def showing(comparison: Comparison, samples: Any) -> Comparison:
    return comparison.model_copy(update={"comment": CommentPolicy(samples=samples)})


class Page(HTMLParser):
    """The elements of a rendered comment, and its text outside of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._inside.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        while self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"code", "a"} & set(self._inside):
            self.texts.append(data)


ELEMENTS = {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "code", "a"} | {
    "details",
    "summary",
}


def assert_harmless(text: str, limit: int = LIMIT) -> Page:
    assert units(text) <= limit
    page = Page(text)
    assert set(page.elements) <= ELEMENTS
    assert page.links == [RUN_URL]
    assert not [data for data in page.texts if ACTIVE.search(data.replace(HEAD[:7], ""))]
    return page


def test_what_a_reviewer_reads(comparison: Comparison) -> None:
    opened = comment_markdown(comparison, ABOUT).partition("<details>")[0]
    assert (
        opened
        == """\
**🔴 Blocked: failed/f1 has errors (4 more do not pass); mend them, and score again.** Commit 0123456.

- **Candidate**: `model_v1.1` (models/model\\_v1.1 is new)
- **Baseline**: `model_v1.0` (the highest scored version of the merge-base, scored 12 days ago); baseline scored \
again: 3 of 2,000 items, test set changed
- **Policy**: `modelrelease.yaml`, for a pull request

| metric | n | baseline | candidate | delta | 95% interval | margin | verdict |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| qa/acc | 50 | 60.0 | 70.0 | +10.0 | \\[−13.1, +32.0\\] | 3.0 | 🟡 inconclusive |
| qa/acc\\_norm | 50 | 100.0 | 100.0 | 0.0 | \\[−7.1, +7.1\\] | 3.0 | 🟡 inconclusive |
| lm/nll ↓ | 50 | 1.490 | 1.420 | −0.0700 | \\[−0.182, +0.0423\\] | 0.0300 | 🟢 equivalent |
| failed/f1 | – | 100.0 | 100.0 | – | – | 3.0 | ⚪ error |
| gone/f1 | – | 100.0 | – | – | – | 3.0 | ⚪ missing |

Shares are in points (hundredths). ↓: lower is better.

**This pull request changes the policy**

- The one in force (`modelrelease.yaml`) decides, as said above
- This pull request's own (`own.yaml`), for information: Promote: by its own.

**Why**

- 🟡 qa/acc is inconclusive: a change of +10.0 points; a loss of 3.0 points or more is not ruled out: 50 items can \
rule out 29.4 points at best, and 3,800 to 5,600 items would be needed
- 🟡 qa/acc\\_norm is inconclusive: no net change; a loss of 3.0 points or more is not ruled out: 50 items can rule \
out 5.8 points at best, and 99 to 500 items would be needed
- 🟢 lm/nll is equivalent: a change of −0.0700, for the better; a loss of 0.0300 or more is ruled out
- ⚪ failed/f1 has errors: 1 item could not be scored: 50
- ⚪ gone/f1 is missing: the candidate was not scored on task \\`gone\\`
- nothing/\\*: the policy names it, and neither side has it

**What this sample size can show**

- lm/nll: 50 items can rule out a loss of 0.139, not a smaller one; the margin of 0.0300 takes 740 to 1,700

**What changed**

- prompt `prompts/qa.txt`
  - 2026-01-02 Ada: Ask for one word
- dataset `datasets/qa.jsonl`: 1 row changed, 2 added
- `datasets/other.jsonl`: renamed from datasets/old.jsonl (rows: 1 changed)
- `prompts/gone.md`: deleted (is a link)
  - without a change record
- 2 more governed files

**Notes**

- Its parent model\\_v0.9 had the same.

"""
    )


def test_the_last_line_brings_the_results_into_the_branch(comparison: Comparison) -> None:
    end = f"""\
</details>

Summary, data and log: [run 4711]({RUN_URL})

To bring these results into the branch:

```sh
gh run download 4711 -n modelrelease -D models/model_v1.1
```
"""
    assert comment_markdown(comparison, ABOUT).endswith(end)
    again = comment_markdown(comparison, About(HEAD, RUN_URL, 4711, 2))
    assert again.endswith(f"Summary, data and log: [run 4711, attempt 2]({RUN_URL})\n")


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("models/model_v1.1", "-D models/model_v1.1\n"),
        ("models/$(touch x)", "-D 'models/$(touch x)'\n"),
        ("models/a'b", "-D 'models/a'\"'\"'b'\n"),
        ("models/a\nb", None),
        ("models/a\u202eb", None),
        ("m" * 300, None),
        (None, None),
    ],
)
def test_a_folder_is_quoted_for_the_shell_or_left_out(
    comparison: Comparison, folder: str | None, line: str | None
) -> None:
    resolution = RESOLUTION.model_copy(update={"candidate": folder})
    text = comment_markdown(comparison.model_copy(update={"resolution": resolution}), ABOUT)
    assert ("gh run download" in text) == (line is not None)
    assert line is None or f"gh run download 4711 -n modelrelease {line}" in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://a/b)![x](y", "https://a b", "ftp://a/b"])
def test_an_address_that_is_none_makes_no_link(comparison: Comparison, address: str) -> None:
    assert "Summary, data" not in comment_markdown(comparison, About(run_url=address, run_id=1))


def test_samples_are_shown_as_far_as_the_repository_wants(comparison: Comparison) -> None:
    ids, text, none = (comment_markdown(showing(comparison, samples), ABOUT) for samples in SAMPLES)
    assert "<summary>Items that changed: qa/acc 15 broken, 20 fixed; lm/nll 21 worse, 28 better</summary>" in ids
    assert "- qa/acc, 15 broken: `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9` and 5 more\n" in ids
    assert "baseline: " not in ids + none
    assert "<summary>qa/acc: 15 broken, 20 fixed</summary>\n\n**broken** 0\n\n```text\nbaseline: 0\n" in text
    assert "**Items that changed**\n\n- qa/acc 15 broken, 20 fixed\n- lm/nll 21 worse, 28 better\n" in none
    assert "`0`" not in none


def test_only_ids_without_examples_are_counted(comparison: Comparison) -> None:
    metrics = [row.model_copy(update={"flips": Flips(fixed=0, broken=7)}) for row in comparison.metrics[:1]]
    text = comment_markdown(comparison.model_copy(update={"metrics": tuple(metrics)}), ABOUT)
    assert "- qa/acc, 7 broken: 7 more\n" in text
    assert "fixed:" not in text


def test_metrics_that_decide_nothing_come_last_and_say_so(tmp_path: Path) -> None:
    before, after = table(both=60, lost=4, gained=3, neither=33)
    sides = {"qa": {"acc_norm": before, "acc": before}}, {"qa": {"acc_norm": after, "acc": after}}
    found = decide(tmp_path, *sides, {"qa/acc": {"margin": 0.03}}, context="pull_request")
    text = comment_markdown(found, About())
    assert text.startswith("**🟡 Promote, with a warning: qa/acc is not proven to be as good; ")
    lines = [line for line in text.splitlines() if line.startswith("| qa/")]
    assert [line.split(" | ")[0] for line in lines] == ["| qa/acc", "| qa/acc\\_norm (info)"]
    assert lines[1].endswith(" | inconclusive |")
    assert "(info): decides nothing." in text
    assert text.count("a loss of 3.0 points or more is not ruled out") == 1  # the warning says it too


def test_many_metrics_that_pass_are_folded(tmp_path: Path) -> None:
    same = {f"task{number}": {"acc": [1.0] * 100} for number in range(8)}
    text = comment_markdown(decide(tmp_path, same, same, {"*": {"margin": 0.05}}), About())
    assert "**Why**" not in text
    fold = text.partition("<details><summary>8 more gate metrics, which pass</summary>\n")[2].partition("</details>")[0]
    assert fold.count(" is equivalent: no net change; a loss of 5.0 points or more is ruled out\n") == 8
    assert fold.count(": 100 items can rule out a loss of 3.0 points, not a smaller one\n") == 8


def test_where_nothing_had_to_be_scored_little_is_said(comparison: Comparison) -> None:
    reason = "no version, prompt, test or suite has changed"
    nothing = comparison.model_copy(
        update={
            **dict.fromkeys(("metrics", "policies", "reasons", "warnings", "history", "notes"), ()),
            "baseline": None,
            "candidate": None,
            "comparability": NOTHING,
            "decision": "not-needed",
            "headline": "Nothing to score; merge.",
            "resolution": RESOLUTION.model_copy(update={"candidate": None, "reason": reason, "changes": ()}),
            "changes": None,
        }
    )
    assert comment_markdown(nothing, ABOUT) == (
        "**⚪ Nothing to score; merge.** Commit 0123456.\n\n"
        "- no version, prompt, test or suite has changed\n\n"
        f"Summary, data and log: [run 4711]({RUN_URL})\n"
    )


def test_where_nothing_is_live_the_candidate_stands_alone(comparison: Comparison) -> None:
    gone = {"baseline": None, "delta": None, "verdict": "no-baseline", "power": None, "flips": None, "slices": ()}
    metrics = tuple(row.model_copy(update={**gone, "reason": "nothing is live yet"}) for row in comparison.metrics[:2])
    first = comparison.model_copy(
        update={
            "baseline": None,
            "decision": "promote",
            "metrics": metrics,
            "comparability": NOTHING,
            "headline": "Promote: nothing is live yet; merge.",
            "reasons": ("nothing is live yet",),
            "warnings": (),
            "policies": comparison.policies[:1],
            "history": (),
            "notes": (),
            "resolution": RESOLUTION.model_copy(update={"baseline": None, "baseline_rule": "none", "changes": ()}),
        }
    )
    text = comment_markdown(first, ABOUT)
    assert text.startswith("**🟢 Promote: nothing is live yet; merge.** Commit 0123456.\n")
    assert "- **Baseline**: none, nothing is live yet\n" in text
    assert "| metric | n | candidate |\n| --- | ---: | ---: |\n| qa/acc | 50 | 70.0 |\n" in text
    assert "**Why**" not in text
    assert "|  | candidate |\n" in text


def test_what_changed_is_unfolded_word_by_word_and_row_by_row(comparison: Comparison) -> None:
    text = comment_markdown(showing(comparison, "text"), ABOUT)
    fold = text[text.index("<summary>What changed, word by word</summary>") :].partition("</details>")[0]
    assert "`prompts/qa.txt`:\n\n```text\ntext: [-Q:-]{+A:+} x\n```" in fold
    assert "changed q1\n  - answer: 1\n  + answer: 2\n" in fold
    assert "gone.md" not in fold


def test_a_policy_that_says_the_same_says_so(comparison: Comparison) -> None:
    same = comparison.model_copy(update={"policies": (comparison.policies[0], comparison.policies[0])})
    assert "own (`modelrelease.yaml`), for information: the same\n" in comment_markdown(same, ABOUT)


def test_the_environment_of_both_sides_and_what_differs(comparison: Comparison) -> None:
    fold = comment_markdown(comparison, ABOUT).partition("How and where it was scored")[2]
    assert "| version | `model_v1.0` | `model_v1.1` |\n| checkpoint | `c449007021b9` | `" in fold
    assert "| engine | `transformers float32 sdpa on cpu` | `transformers float32 sdpa on cpu` |" in fold


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_comment_is_inert_whatever_it_holds(comparison: Comparison, attack: str, samples: str) -> None:
    harmless = hostile(comparison, "a word")
    honest = assert_inert(comment_markdown(showing(harmless, samples), ABOUT, limit=900_000), links=1)
    text = comment_markdown(showing(hostile(comparison, attack), samples), ABOUT, limit=900_000)
    tokens = assert_inert(text, links=1)
    for kind in ("table_open", "tr_open", "html_block"):
        assert count(tokens, kind) == count(honest, kind), kind
    assert_harmless(text, 900_000)


@pytest.mark.parametrize("samples", SAMPLES)
def test_five_megabytes_of_hostile_text_fit_and_do_nothing(comparison: Comparison, samples: str) -> None:
    attack = "".join(ATTACKS.values()) + "\U0001f600" * 5000
    found = hostile(comparison, attack)
    many = found.model_copy(update={"metrics": found.metrics * 2})
    assert len(many.to_bytes()) > 5_000_000
    for limit in (LIMIT, LEAST_LIMIT):
        text = comment_markdown(showing(many, samples), ABOUT, limit=limit)
        assert_harmless(text, limit)
        assert text.startswith("**🔴 ")
        assert "| metric | n | baseline |" in text
        assert RUN_URL in text


def test_a_summary_is_counted_in_bytes(comparison: Comparison) -> None:
    found = showing(hostile(comparison, "漢" * 500), "text")
    many = found.model_copy(update={"metrics": found.metrics * 20})
    text = comment_markdown(many, ABOUT, limit=SUMMARY_LIMIT)
    assert units(text) < 700_000 < len(text.encode()) <= SUMMARY_LIMIT
    assert " in comparison.json\n" in text


def test_rows_go_first_and_what_is_left_out_is_counted(comparison: Comparison) -> None:
    metrics = tuple(
        row.model_copy(update={"task": f"{row.task}{number}"})
        for number in range(300)
        for row in comparison.metrics[:1]
    )
    text = comment_markdown(comparison.model_copy(update={"metrics": metrics}), ABOUT)
    assert units(text) <= LIMIT
    assert len([line for line in text.splitlines() if line.startswith("| qa")]) >= 300
    assert re.search(r"\n… and \d+ more (rows|sections) in the job summary\n", text)
    small = comment_markdown(comparison.model_copy(update={"metrics": metrics}), About(), limit=LEAST_LIMIT)
    left = re.search(r"\n\n… and (\d+) more rows in comparison\.json\n", small)
    assert left is not None
    assert len([line for line in small.splitlines() if line.startswith("| qa")]) + int(left.group(1)) == 300


def test_the_same_comparison_gives_the_same_comment(comparison: Comparison) -> None:
    again = Comparison.model_validate_json(comparison.to_bytes())
    assert comment_markdown(again, ABOUT) == comment_markdown(comparison, ABOUT)


def test_a_limit_that_cannot_be_kept_is_refused(comparison: Comparison) -> None:
    with pytest.raises(ValueError, match="at least 16000"):
        comment_markdown(comparison, ABOUT, limit=LEAST_LIMIT - 1)


@given(attack=st.text(max_size=80), samples=st.sampled_from(SAMPLES))
def test_no_text_in_any_field_does_anything(comparison: Comparison, attack: str, samples: str) -> None:
    text = comment_markdown(showing(hostile(comparison, attack), samples), ABOUT)
    assert_inert(text, links=1)
    assert_harmless(text)


@given(reason=st.text(max_size=2000))
def test_why_nothing_was_decided_is_data_too(reason: str) -> None:
    text = undecided_markdown(reason, ABOUT)
    first = "**🔴 Nothing was decided: this pull request has not been scored.** Commit 0123456.\n\n"
    assert text.startswith(first)
    assert_inert(text, links=1)
    assert_harmless(text)


def test_what_is_shown_is_what_was_answered(comparison: Comparison) -> None:
    answer = "``` @everyone </details> <!-- a -->"
    page = MarkdownIt("commonmark", {"html": True}).render(
        comment_markdown(showing(hostile(comparison, answer), "text"), ABOUT)
    )
    assert f"candidate: {html.escape(answer)}\n</code>" in page
