"""Templates, our own workflows and those in the docs: linted, pinned, and with no more rights than they need."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
KIT = "modelrelease/modelrelease"
SCRIPTS = Path(sys.executable).parent
TEMPLATES = sorted((ROOT / "workflows-templates").glob("*.yml"))
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted(
    [ROOT / "action.yml", *ROOT.glob("actions/*/action.yml"), *ROOT.glob("tests/fakes/actions/*/action.yml")]
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def blocks() -> dict[str, str]:
    """Return the workflows that stand in pages, by page and number."""
    found = {}
    for page in PAGES:
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)):
            if re.search(r"^jobs:", block, re.M):
                found[f"{page.stem}-{number}"] = block
    return found


WORKFLOWS = {path.stem: path.read_text("utf-8") for path in [*TEMPLATES, *OWN]} | blocks()


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the kit's actions and all workflows, which call those actions by their path.

    A linter knows an action's inputs and outputs only where it finds the action.
    """
    root = tmp_path_factory.mktemp("kit")
    (root / ".git").mkdir()
    (root / ".github" / "workflows").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", root)
    shutil.copytree(ROOT / "actions", root / "actions")
    for name, text in WORKFLOWS.items():
        local = re.sub(rf"uses: {KIT}(\S*?)@\S+", r"uses: .\1", text).replace("uses: .\n", "uses: ./\n")
        (root / ".github" / "workflows" / f"{name}.yml").write_text(local, "utf-8")
    return root


def lint(command: list[str], folder: Path) -> str:
    done = subprocess.run([str(SCRIPTS / command[0]), *command[1:]], cwd=folder, capture_output=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def test_actionlint_finds_nothing(kit: Path) -> None:
    assert len(list((kit / ".github" / "workflows").iterdir())) == len(WORKFLOWS)
    assert lint(["actionlint", "-shellcheck=", "-pyflakes="], kit) == ""


def test_actionlint_knows_our_inputs_and_outputs(kit: Path) -> None:
    wrong = WORKFLOWS["pull-request"].replace("base:", "bass:").replace("outputs.needed", "outputs.neded")
    path = kit / "wrong.yml"
    path.write_text(re.sub(rf"uses: {KIT}(\S*?)@\S+", r"uses: .\1", wrong).replace("uses: .\n", "uses: ./\n"), "utf-8")
    said = lint(["actionlint", "-shellcheck=", "-pyflakes=", str(path)], kit)
    assert 'input "bass" is not defined in action' in said
    assert 'property "neded" is not defined' in said


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    for name, block in blocks().items():
        (tmp_path / f"{name}.yml").write_text(block, "utf-8")
    files = [*TEMPLATES, *OWN, *ACTIONS, *tmp_path.iterdir()]
    options = ["--offline", "--no-progress", "--persona", "auditor", "--config", str(ROOT / ".github" / "zizmor.yml")]
    assert lint(["zizmor", *options, *map(str, files)], ROOT) == ""


def test_zizmor_would_find_what_it_is_there_for(tmp_path: Path) -> None:
    bad = WORKFLOWS["pull-request"].replace("@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v4")
    bad += "      - run: echo ${{ github.head_ref }}\n"
    (tmp_path / "bad.yml").write_text(bad, "utf-8")
    config = str(ROOT / ".github" / "zizmor.yml")
    said = lint(["zizmor", "--offline", "--no-progress", "--config", config, str(tmp_path / "bad.yml")], ROOT)
    assert "unpinned-uses" in said
    assert "template-injection" in said


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_others_wrote_is_pinned_to_a_commit(name: str) -> None:
    for used in re.findall(r"uses: (\S+)", WORKFLOWS[name]):
        assert re.fullmatch(rf"[\w.-]+/[\w./-]+@[0-9a-f]{{40}}|{KIT}(/actions/[a-z]+)?@v\d+\.\d+\.\d+", used)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_rights_are_given_job_by_job(name: str) -> None:
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert workflow["permissions"] == {}
    assert all("permissions" in job for job in workflow["jobs"].values())
    assert "pull_request_target" not in WORKFLOWS[name]


def template() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOWS["pull-request"])
    return found


def test_the_pull_request_s_workflow_always_reports() -> None:
    found = template()
    # A required check that is filtered out by its paths never reports; one that is skipped passes.
    assert found[True] == {"pull_request": None, "merge_group": None}
    assert found["concurrency"]["cancel-in-progress"] is True
    gate = found["jobs"]["gate"]
    assert gate["if"] == "always()"
    assert set(gate["needs"]) == set(found["jobs"]) - {"gate"}


# The first versions that run on Node 24; Node 20 is taken out of runners in 2026. upload and download belong together.
# Source: each action's release notes, and its `runs.using`.
ON_NODE_24 = {
    "actions/checkout": ("08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5.0.0"),
    "actions/upload-artifact": ("b7c566a772e6b6bfb58ed0dc250532a479d7789f", "v6.0.0"),
    "actions/download-artifact": ("37930b1c2abaa49bbe596cd826c3c89aef350131", "v7.0.0"),
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_of_github_s_is_the_one_that_was_looked_at(name: str) -> None:
    used = re.findall(r"uses: (actions/[\w-]+)@(\S+)(?: # (\S+))?", WORKFLOWS[name])
    assert len(used) == WORKFLOWS[name].count("uses: actions/")
    assert {action: (commit, version) for action, commit, version in used}.items() <= ON_NODE_24.items()


def test_the_pull_request_s_jobs_have_these_rights_and_no_others() -> None:
    jobs = template()["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "check": {"contents": "read"},
        "score": {"contents": "read"},
        "gate": {"contents": "read", "actions": "read", "pull-requests": "write"},
    }
    # The job that may write sees nothing of the pull request but one document.
    assert not any("checkout" in step.get("uses", "") for step in jobs["gate"]["steps"])
    assert "head.repo.full_name == github.repository" in jobs["score"]["if"]
    assert "vars.MODELRELEASE_RUNNER" in jobs["score"]["runs-on"]


def test_a_checkout_is_whole_and_leaves_no_credentials() -> None:
    checkouts = [s for job in template()["jobs"].values() for s in job["steps"] if "checkout" in s.get("uses", "")]
    assert len(checkouts) == 2
    for step in checkouts:
        assert step["with"]["fetch-depth"] == 0
        assert step["with"]["persist-credentials"] is False
        assert step["with"]["ref"] == "${{ github.event.pull_request.head.sha || github.sha }}"
    assert "cache" not in WORKFLOWS["pull-request"]


def test_the_reproduce_workflow_runs_by_itself_and_never_stops_a_run() -> None:
    found = yaml.safe_load(WORKFLOWS["reproduce"])
    assert set(found[True]) == {"schedule", "workflow_dispatch"}
    ((_, minute),) = [(one, one["cron"].split()[0]) for one in found[True]["schedule"]]
    assert minute not in {"0", "*"}
    assert found["concurrency"] == {"group": "modelrelease-reproduce", "cancel-in-progress": False}


def test_the_job_that_runs_a_model_may_only_read_and_the_one_that_writes_issues_only_that() -> None:
    jobs = yaml.safe_load(WORKFLOWS["reproduce"])["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "reproduce": {"contents": "read"},
        "issue": {"issues": "write"},
    }
    assert "vars.MODELRELEASE_RUNNER" in jobs["reproduce"]["runs-on"]
    assert jobs["issue"]["runs-on"] == "ubuntu-latest"
    assert not any("checkout" in step.get("uses", "") for step in jobs["issue"]["steps"])
    assert jobs["issue"]["if"].startswith("${{ !cancelled() && ")
    assert "github.ref_name == github.event.repository.default_branch" in jobs["issue"]["if"]
    (checkout,) = [step for step in jobs["reproduce"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"] == {
        "ref": "${{ github.sha }}",
        "fetch-depth": 0,
        "lfs": True,
        "persist-credentials": False,
    }
    assert "cache" not in WORKFLOWS["reproduce"]


def test_the_job_that_publishes_alone_may_write_and_the_one_that_runs_a_model_may_only_read() -> None:
    jobs = yaml.safe_load(WORKFLOWS["release"])["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "score": {"contents": "read"},
        "publish": {"contents": "write", "id-token": "write", "actions": "read"},
    }
    assert "vars.MODELRELEASE_RELEASE_RUNNER" in jobs["score"]["runs-on"]
    assert (jobs["publish"]["runs-on"], jobs["publish"]["environment"]) == ("ubuntu-latest", "production")
    assert jobs["publish"]["needs"] == "score"
    assert "if" not in jobs["publish"]  # what was blocked is skipped, and so not published
    # No secret reaches the runner that scores, and the publishing job takes the digest from the decision.
    assert "secrets." not in yaml.safe_dump(jobs["score"])
    inputs = jobs["publish"]["steps"][-1]["with"]
    assert inputs["digest"] == "${{ needs.score.outputs.digest }}"
    assert "decided" in inputs
    assert inputs["environment"] == jobs["publish"]["environment"]


def test_a_rollback_shows_what_it_changes_before_anybody_approves_it() -> None:
    jobs = yaml.safe_load(WORKFLOWS["rollback"])["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "plan": {"contents": "read"},
        "rollback": {"contents": "write", "id-token": "write"},
    }
    # Two environments: that of the plan asks nobody, and has no token that may write.
    assert (jobs["plan"]["environment"], jobs["rollback"]["environment"]) == ("rollback-plan", "rollback")
    assert jobs["plan"]["steps"][-1]["with"]["plan"] is True
    secrets = {name: set(re.findall(r"secrets\.\w+", yaml.safe_dump(job))) for name, job in jobs.items()}
    assert secrets == {"plan": {"secrets.HF_READ_TOKEN"}, "rollback": {"secrets.HF_TOKEN"}}
    assert "hub-publisher" not in jobs["plan"]["steps"][-1]["with"]
    assert jobs["rollback"]["if"] == "needs.plan.outputs.needed == 'true'"


@pytest.mark.parametrize("name", ["release", "rollback"])
def test_what_publishes_waits_its_turn_and_keeps_nothing(name: str) -> None:
    found = yaml.safe_load(WORKFLOWS[name])
    assert found["concurrency"] == {"group": f"modelrelease-{name}", "cancel-in-progress": False}
    checkouts = [s for job in found["jobs"].values() for s in job["steps"] if "checkout" in s.get("uses", "")]
    assert len(checkouts) == 2
    for step in checkouts:
        assert (step["with"]["fetch-depth"], step["with"]["persist-credentials"]) == (0, False)
    assert "cache" not in WORKFLOWS[name]
    # Whatever is typed into a form is an input of an action, and never a part of a script.
    assert not any("run" in step for job in found["jobs"].values() for step in job["steps"])
