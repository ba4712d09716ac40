"""Pull requests whose versions keep their weights elsewhere: at an address, or in another version's folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from papers import write_papers
from repositories import LIVE, NEW, PROMPT, Repository, copy, create, create_scored, other_weights
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused
from modelrelease.flows.trees import Tree
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.comparison import Comparison
from modelrelease.records.results import read_results


@pytest.fixture(scope="module")
def other(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with other weights than the live version's."""
    return other_weights(tiny.folder("llama"), tmp_path_factory.mktemp("other") / "checkpoint")


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose live version has its weights in git."""
    return create_scored(tmp_path_factory.mktemp("template") / "repository", tiny.folder("llama"))


@pytest.fixture
def pull(template: Repository, tmp_path: Path) -> Repository:
    return copy(template, tmp_path / "repository")


@pytest.fixture
def addressed(tiny: TinyModels, tmp_path: Path) -> Repository:
    """A pull request of a repository whose live version's weights lie elsewhere."""
    repository = create(tmp_path / "repository")
    shutil.copytree(tiny.folder("llama"), tmp_path / "stored")
    write_papers(repository.root / LIVE, tmp_path / "stored", source=(tmp_path / "stored").as_uri())
    repository.score(LIVE)
    repository.commit("The first version")
    repository.branch()
    return repository


def digests(found: Comparison) -> tuple[str, str]:
    assert found.baseline is not None
    assert found.candidate is not None
    return found.baseline.model_digest, found.candidate.model_digest


def scored_again(found: Comparison) -> str | None:
    assert found.baseline is not None
    again = found.baseline.scored_again
    return "; ".join(again.why) if again is not None else None


def test_a_new_version_at_an_address_is_held_against_the_live_one(
    pull: Repository, other: Path, tiny: TinyModels
) -> None:
    record = write_papers(pull.root / NEW, other, source=other.as_uri())
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.candidate) == ("new-version", NEW)
    assert digests(found) == (read_checkpoint(tiny.folder("llama"), "m").digest, record.checkpoint.digest)
    assert read_results(pull.out / "candidate").evaluation.model.version == "model_v1.1"


def test_a_prompt_only_version_has_the_live_checkpoint(pull: Repository, tiny: TinyModels) -> None:
    write_papers(pull.root / NEW, tiny.folder("llama"), parent="model_v1.0", same_as="model_v1.0")
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.candidate) == ("new-version", NEW)
    before, after = digests(found)
    assert before == after
    assert found.subject == ("prompt",)


def test_a_live_version_at_an_address_answers_from_its_record(addressed: Repository, other: Path) -> None:
    addressed.add_version(NEW, other)
    write_papers(addressed.root / NEW, other)
    addressed.commit()
    assert scored_again(addressed.check()) is None
    record = read_results(addressed.root / LIVE).evaluation
    assert Tree(addressed.root, "HEAD", "modelrelease.yaml").checkpoint_digest(LIVE) == record.model.digest


def test_a_live_version_at_an_address_is_asked_again(addressed: Repository) -> None:
    """The prompt has changed, and the pull request points the live version's papers elsewhere: git's are believed."""
    addressed.replace(PROMPT, "A:", "The answer:")
    path = addressed.root / LIVE / "model.json"
    path.write_bytes(path.read_bytes().replace(b"/stored", b"/nowhere"))
    addressed.commit()
    shutil.rmtree(addressed.cache)
    found = addressed.check()
    assert found.resolution is not None
    assert found.resolution.rule == "changed-inputs"
    before, after = digests(found)
    assert before == after


def test_a_live_version_with_another_s_checkpoint_outlives_its_removal(pull: Repository, tiny: TinyModels) -> None:
    """Main's live version shares the first one's checkpoint, which a pull request removes from the folder."""
    pull.git("checkout", "--quiet", "main")
    write_papers(pull.root / NEW, tiny.folder("llama"), same_as="model_v1.0")
    pull.score(NEW)
    pull.commit("A version with other prompts")
    pull.git("checkout", "--quiet", "-B", "change")
    pull.remove(LIVE)
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.baseline) == ("changed-inputs", NEW)
    assert digests(found)[0] == read_checkpoint(tiny.folder("llama"), "m").digest


def test_weights_that_move_to_an_address_and_stay_the_same(pull: Repository, tiny: TinyModels) -> None:
    """Only the address in the papers changes: nothing has to be scored."""
    pull.git("checkout", "--quiet", "main")
    write_papers(pull.root / LIVE, tiny.folder("llama"), source="s3://bucket/one")
    pull.remove(f"{LIVE}/checkpoint")
    pull.commit("Weights in a bucket")
    pull.git("checkout", "--quiet", "-B", "change")
    write_papers(pull.root / LIVE, tiny.folder("llama"), source="s3://bucket/two")
    pull.commit()
    resolution = pull.resolve().resolution
    assert (resolution.rule, resolution.candidate) == ("not-needed", None)
    record = json.loads((pull.root / LIVE / "model.json").read_text("utf-8"))
    record["checkpoint"]["files"][0]["sha256"] = "0" * 64
    pull.write(f"{LIVE}/model.json", json.dumps(record))
    pull.commit()
    assert pull.resolve().resolution.rule == "changed-checkpoint"


def test_papers_of_other_weights_stop_the_check(pull: Repository, other: Path, tiny: TinyModels) -> None:
    pull.add_version(NEW, other)
    write_papers(pull.root / NEW, tiny.folder("llama"))
    pull.commit()
    with pytest.raises(Refused, match=f"{NEW}/checkpoint/model.safetensors: MR421 is not the file that model.json"):
        pull.check()
    assert not (pull.out / "comparison.json").exists()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"same_as": "model_v9.0"}, "MR424 `same_as` names model_v9.0, which is not here"),
        ({"same_as": "../../elsewhere"}, "MR424 `same_as: ../../elsewhere` names no version"),
        ({"source": "hf://acme/bot@main"}, "MR423 `source` names a branch or a tag"),
        ({"source": "file:///nowhere/at/all"}, "MR603 is not there"),
        ({}, "MR401 holds neither config.json nor checkpoint/config.json"),
    ],
)
def test_an_address_that_leads_nowhere_stops_the_check(
    pull: Repository, other: Path, where: dict[str, str], said: str
) -> None:
    write_papers(pull.root / NEW, other, **where)
    pull.commit()
    with pytest.raises(ModelreleaseError) as caught:
        pull.check()
    assert said in str(caught.value)
    assert str(pull.root) not in str(caught.value)


def test_linked_papers_are_not_followed(pull: Repository, other: Path) -> None:
    write_papers(pull.root / "elsewhere", other, source=other.as_uri())
    (pull.root / NEW).mkdir()
    (pull.root / NEW / "model.json").symlink_to("../../elsewhere/model.json")
    pull.commit()
    with pytest.raises(InvalidInput, match="MR401 keeps its checkpoint elsewhere"):
        pull.check()
