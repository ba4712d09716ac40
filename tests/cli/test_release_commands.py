"""What the commands about releases say to a person: what is missing, what would help, and never a thing twice."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import Ran, run
from releases import ONE, TWO, Releases, copy_releases, create_releases
from tiny_models import TinyModels

from modelrelease.flows.release.decide import blocked
from modelrelease.records.comparison import Comparison

REASON = "Answers in German are cut off"
SAMPLE = f'--reason "{REASON}"'
UNTIL = (datetime.now(timezone.utc) + timedelta(days=30)).date().isoformat()
Call = Callable[..., Ran]


@pytest.fixture(scope="module")
def unreleased(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("words") / "unreleased", tiny.folder("llama"))


@pytest.fixture(scope="module")
def released(unreleased: Releases, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Both versions scored before they were tagged, and released."""
    made = copy_releases(unreleased, tmp_path_factory.mktemp("words") / "released")
    made.repository.git("checkout", "--quiet", "main")
    for version in (ONE, TWO):
        made.repository.score(f"models/{version}")
        made.repository.commit(f"Score {version}")
        made.repository.git("tag", "--force", version)
    made.promote(ONE)
    made.promote(TWO)
    return made


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.setenv("MODELRELEASE_CACHE", str(tmp_path / "cache"))
    for name in [one for one in os.environ if one.startswith("GITHUB_")]:
        monkeypatch.delenv(name)

    def command(releases: Releases, *arguments: str) -> Ran:
        monkeypatch.chdir(releases.root)
        return run(capsys, *arguments)

    return command


@pytest.mark.parametrize("blank", [False, True])
def test_where_there_is_no_card_that_is_what_is_said(
    unreleased: Releases, call: Call, tmp_path: Path, blank: bool
) -> None:
    releases = copy_releases(unreleased, tmp_path / "repository")
    card, repository = f"models/{TWO}/README.md", releases.repository
    if blank:
        repository.write(card, "\n")
    else:
        repository.remove(card)
    repository.commit("Lose the card")
    repository.git("tag", "--force", TWO)
    repository.git("checkout", "--quiet", "--detach", TWO)
    said = (
        f"{card}: MR433 there is no card; run `modelrelease card models/{TWO} --write`, and fill in what it leaves open"
    )
    ran = call(releases, "promote", TWO, "--device", "cpu")
    assert (ran.code, ran.err.strip().splitlines()[-1]) == (1, said)
    checked = call(releases, "card", f"models/{TWO}", "--check")
    assert checked.code == 1
    assert said in checked.err
    assert "MR430" not in checked.err


COMMANDS = [
    ["promote", ONE],
    ["rollback", "--to", ONE, "--plan"],
    ["verify", ONE],
    ["revoke", ONE, "--reason", REASON],
    ["ledger", "log"],
    ["ledger", "verify"],
    ["ledger", "trace", ONE],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda one: " ".join(one[:2]))
def test_outside_of_git_that_is_what_is_said(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "modelrelease.yaml").write_text("schema_version: 1\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "MR601 is in no git work tree" in ran.err


@pytest.mark.parametrize("how", [["--depth", "1"], ["--single-branch"]])
def test_the_advice_makes_the_default_branch_known_however_it_was_cloned(
    unreleased: Releases, call: Call, tmp_path: Path, how: list[str]
) -> None:
    """A clone of one tag, as jobs make it, has never heard of a branch."""
    source = f"file://{unreleased.root}"
    unreleased.repository.git("clone", "--quiet", *how, "--branch", TWO, source, str(tmp_path / "clone"))
    clone = Releases(type(unreleased.repository)(tmp_path / "clone"))
    ran = call(clone, "rollback", "--to", ONE, "--plan")
    assert (ran.code, "MR508 there is no default branch" in ran.err) == (2, True)
    command = ran.err.partition("; run `")[2].partition("`")[0]
    subprocess.run(["bash", "-c", command], cwd=clone.root, check=True, capture_output=True)
    assert clone.grounds().branch == "main"
    assert clone.repository.git("rev-parse", "--is-shallow-repository") == "false"
    ran = call(clone, "rollback", "--to", ONE, "--plan")
    assert (ran.code, "MR710 was never released" in ran.err) == (1, True)


def metric(verdict: str, name: str = "choose/acc", role: str = "gate") -> SimpleNamespace:
    task, _, short = name.partition("/")
    return SimpleNamespace(task=task, metric=short, role=role, verdict=verdict)


LOSS, OPEN = "choose/acc is regressed: a loss of 9.0 points", "say/f1 is inconclusive: too few items"
FLOOR = "choose/acc does not clear its floor of 60.0: 40 items show 50.0 or more"
ALONE = "modelrelease override --version model_v1.1 --metric choose/acc --reason WHY --until DATE"


@pytest.mark.parametrize(
    ("baseline", "bootstrap", "metrics", "reasons", "says", "never"),
    [
        (True, None, [metric("regressed")], (LOSS,), f"accept the loss with `{ALONE}`, and run", "floor"),
        (True, None, [metric("regressed"), metric("inconclusive", "say/f1")], (LOSS, OPEN),
         f"`{ALONE}`, and the same for say/f1, and run", "floor"),
        (True, None, [metric("regressed"), metric("inconclusive", "say/f1")], (LOSS,), f"`{ALONE}`, and run", "say/f1"),
        (True, None, [metric("regressed")], (LOSS, FLOOR), "an override lifts neither a floor nor", "--metric"),
        (True, None, [metric("error")], ("choose/acc has errors: 1 item",), "could not be compared", "--metric"),
        (True, None, [metric("equivalent")], ("choose/acc is equivalent, and the policy requires better",),
         "could not be compared", "--metric"),
        (False, None, [metric("no-baseline")], ("nothing is live yet",),
         "set `release.bootstrap: model_v1.1` in modelrelease.yaml on the default branch", "override"),
        (False, ONE, [metric("no-baseline")], ("nothing is live yet",), f"promote {ONE} first, or set", "override"),
        (False, TWO, [metric("no-baseline")], (FLOOR,), "an override lifts neither a floor", "--metric"),
    ],
)  # fmt: skip
def test_a_block_names_the_ways_that_are_open(
    baseline: bool,
    bootstrap: str | None,
    metrics: list[SimpleNamespace],
    reasons: tuple[str, ...],
    says: str,
    never: str,
) -> None:
    config = SimpleNamespace(release=SimpleNamespace(bootstrap=bootstrap))
    subject = SimpleNamespace(version=TWO, grounds=SimpleNamespace(config=config))
    comparison = SimpleNamespace(
        baseline=object() if baseline else None, metrics=metrics, reasons=reasons, headline="Blocked: so."
    )
    (finding,) = blocked(subject, comparison).findings  # type: ignore[arg-type]
    assert says in finding.todo
    assert never not in finding.todo


def test_the_override_that_a_block_names_lets_it_pass(unreleased: Releases, call: Call, tmp_path: Path) -> None:
    """The command in the finding, with words for WHY and a day for DATE, is all that it takes."""
    releases = copy_releases(unreleased, tmp_path / "repository")
    releases.promote(ONE)
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.replace("modelrelease.yaml", "{margin: 0.5}", "{margin: 0.001}")
    releases.repository.replace("modelrelease.yaml", "release: warn", "release: block")
    releases.repository.commit("Ask for more")
    releases.repository.git("checkout", "--quiet", "--detach", TWO)
    ran = call(releases, "promote", TWO, "--device", "cpu")
    assert ran.code == 1
    said = ran.err.partition("accept the loss with `")[2].partition("`")[0]
    words = said.replace("DATE", UNTIL).split()
    assert words[0] == "modelrelease"
    arguments = [REASON if word == "WHY" else word for word in words[1:]]
    done = call(releases, *arguments)
    assert (done.code, done.err) == (0, "")
    again = call(releases, *arguments)
    assert (again.code, again.out) == (0, done.out.replace("is accepted until", "is accepted already until"))
    assert releases.kinds()[-2:] == [f"released {ONE}", f"override {TWO}"]
    assert json.loads(call(releases, *arguments, "--json").out)["sequence"] == 3
    other = [word if word != REASON else f"{REASON}, and in Danish" for word in arguments]
    assert call(releases, *other).out == done.out.replace("event 3", "event 4")
    twice = call(releases, *arguments, "--metric", "pick/f1")
    assert (twice.code, twice.out) == (2, "")
    assert "--metric: MR601 stands several times" in twice.err
    assert len(releases.kinds()) == 4
    assert call(releases, "promote", TWO, "--device", "cpu").code == 0


def test_a_plan_needs_no_reason_and_shows_numbers_as_everywhere(released: Releases, call: Call) -> None:
    ran = call(released, "rollback", "--to", ONE, "--plan")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    (header,) = [one for one in lines if one.startswith("metric ")]
    assert header.split() == ["metric", TWO, ONE, "change"]
    (line,) = [one for one in lines if one.startswith("pick/acc ")]
    plan = json.loads(call(released, "rollback", "--to", ONE, "--plan", "--json").out)
    (move,) = [one for one in plan["metrics"] if one["metric"] == "pick/acc"]
    before, after = f"{move['before'] * 100:.1f}", f"{move['after'] * 100:.1f}"
    assert line.split()[:3] == ["pick/acc", before, after]
    assert line.split()[3].strip("+−") == f"{abs(move['after'] - move['before']) * 100:.1f}"
    assert move["range"] == [0, 1]


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ([], 2, f'MR601 is missing, and a rollback says why; say why, for whoever reads the ledger, such as {SAMPLE}'),
        (["--reason", "oops"], 2, f'two words that say something; say why, such as "{REASON}"'),
        (["--reason", "oops", "--plan"], 2, "12 characters or more"),
    ],
)  # fmt: skip
def test_a_rollback_says_why(released: Releases, call: Call, reason: list[str], code: int, words: str) -> None:
    before = released.kinds()
    ran = call(released, "rollback", "--to", ONE, *reason)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert released.kinds() == before


def test_the_log_says_why_a_version_was_released_and_is_whole_in_a_pipe(
    released: Releases, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = copy_releases(released, tmp_path / "repository")
    long = "Answers in German are cut off after the first sentence, as three shops reported on Monday and again today"
    releases.roll_back(ONE, long)
    ran = call(releases, "ledger", "log")
    lines = ran.out.splitlines()
    assert long in lines[2]
    assert "receipt of" not in ran.out
    events = releases.grounds().ledger().events
    assert events[2].release is not None
    for line, words in zip(lines[3:5], ("released", "intent"), strict=True):
        assert words in line
        assert line.endswith(events[2].release.summary)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert max(map(len, call(releases, "ledger", "log").out.splitlines())) < 160


@pytest.mark.parametrize("what", ["log", "verify", "trace"])
def test_each_question_to_the_ledger_has_its_own_help(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "ledger", what, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: modelrelease ledger {what} ")
    assert ("VERSION" in ran.out) == (what == "trace")


def test_a_tag_that_moved_is_named_once(released: Releases, call: Call, tmp_path: Path) -> None:
    releases = copy_releases(released, tmp_path / "repository")
    repository = releases.repository
    repository.git("checkout", "--quiet", "main")
    repository.replace("modelrelease.yaml", "file://releases", "file://releases/second")
    repository.commit("Release elsewhere, too")
    releases.promote(ONE)
    repository.git("tag", "--force", ONE, "main")
    ran = call(releases, "ledger", "verify")
    assert ran.code == 1
    assert ran.err.count(f"{ONE}: MR708 is the tag of") == 1
    found = json.loads(call(releases, "ledger", "verify", "--json").out)["findings"]
    assert sum(line.startswith(f"{ONE}: MR708") for line in found) == 1


def test_comparisons_have_what_the_ways_on_are_told_from() -> None:
    """The block's test gives plain values: they have to be named as a comparison names them."""
    assert {"baseline", "metrics", "reasons", "headline"} <= set(Comparison.model_fields)
