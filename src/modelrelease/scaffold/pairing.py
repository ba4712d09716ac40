"""Which prompt asks a dataset's rows, and the task the two make; or why that is for a person to say. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from modelrelease.numbers import show_few
from modelrelease.records.metric_types import Kind
from modelrelease.scaffold.found import Dataset, PromptFile
from modelrelease.scaffold.shapes import TEXT_WORDS, Shape, Unclear

METRIC: dict[Kind, str] = {"multiple_choice": "acc", "generate": "exact_match", "perplexity": "nll"}
LEAST_TOKENS, MOST_TOKENS = 16, 4096
_NEW_PROMPT = "write prompts/ask.md with `{{field}}` where a row's field belongs, and add the task"


@dataclass(frozen=True)
class TaskPlan:
    """A task as the suite will say it. ``items``: its rows, or the least there are where not ``whole``.

    ``reason``: why it is of its kind; ``asked``: why with its prompt, empty without one.
    """

    name: str
    kind: Kind
    dataset: str
    target: str | None
    metric: str
    items: int
    reason: str
    prompt: str | None = None
    choices: str | None = None
    slices: tuple[str, ...] = ()
    max_new_tokens: int | None = None
    stop: tuple[str, ...] = ()
    whole: bool = True
    asked: str = ""


@dataclass(frozen=True)
class Undecided:
    """A dataset whose task could not be told: why, what to do, and a draft of the task where there is one."""

    dataset: str
    reason: str
    todo: str
    draft: TaskPlan | None = None


EXAMPLE = TaskPlan(
    name="questions", kind="multiple_choice", dataset="datasets/questions.jsonl", target="answer", metric="acc",
    items=0, reason="an example", prompt="prompts/ask.md", choices="choices",
)  # fmt: skip


def plan_tasks(datasets: Sequence[Dataset], prompts: Sequence[PromptFile]) -> tuple[list[TaskPlan], list[Undecided]]:
    """Return a task for each dataset where that can be told, and the rest; names are unique, those of drafts too."""
    tasks: list[TaskPlan] = []
    undecided: list[Undecided] = []
    taken: set[str] = set()
    for dataset in datasets:
        name = _free_name(dataset.path, taken)
        taken.add(name)
        planned = _plan(name, dataset, prompts)
        if isinstance(planned, TaskPlan):
            tasks.append(planned)
        else:
            undecided.append(planned)
    return tasks, undecided


def _plan(name: str, dataset: Dataset, prompts: Sequence[PromptFile]) -> TaskPlan | Undecided:
    shape = dataset.shape
    if isinstance(shape, Unclear):
        return Undecided(dataset.path, shape.reason, shape.todo)
    task = TaskPlan(
        name, shape.kind, dataset.path, shape.target, METRIC[shape.kind], dataset.items, shape.reason,
        choices=shape.choices, slices=shape.slices if dataset.whole else (), whole=dataset.whole,
    )  # fmt: skip
    if shape.kind == "perplexity":
        asking = next((prompt for prompt in prompts if shape.target in prompt.fields), None)
        if asking is None or shape.target.lower() in TEXT_WORDS:
            return task
        reason = f"{asking.path} asks its `{shape.target}`, and its rows share no field that is the answer"
        return Undecided(dataset.path, reason, "give each row its `answer`, and run init again or add the task")
    return _with_prompt(task, shape, prompts)


def _with_prompt(task: TaskPlan, shape: Shape, prompts: Sequence[PromptFile]) -> TaskPlan | Undecided:
    known = set(shape.fields) | {"id"}
    fitting = [p for p in prompts if p.fields and known.issuperset(p.fields) and shape.target not in p.fields]
    alike = [p for p in fitting if _stem(p.path) == _stem(task.dataset)]
    if len(fitting) == 1:
        return _asked(task, shape, fitting[0], f"{fitting[0].path} is the only prompt that its rows can fill")
    if len(alike) == 1:
        return _asked(task, shape, alike[0], f"{alike[0].path} has its name, and its rows can fill it")
    if fitting:
        names = show_few([prompt.path for prompt in fitting], 4)
        draft = _asked(task, shape, fitting[0], "the first of several prompts that fit")
        reason = f"{len(fitting)} prompts fit it: {names}"
        return Undecided(task.dataset, reason, "choose one in the task that stands there as a comment", draft)
    fields = show_few([f"`{name}`" for name in shape.fields if name != shape.target], 8)
    reason = f"no prompt is filled by its fields, {fields}" if fields else "its rows have no field to ask"
    return Undecided(task.dataset, reason, _NEW_PROMPT, _asked(task, shape, None, ""))


def _asked(task: TaskPlan, shape: Shape, prompt: PromptFile | None, why: str) -> TaskPlan:
    """Return the task asked with ``prompt``: how much a model may say, and where it stops."""
    task = replace(task, prompt=prompt.path if prompt else "prompts/ask.md", asked=why)
    if shape.kind != "generate":
        return task
    tokens = room(shape.longest)
    ends_turn = prompt is not None and prompt.chat  # a chat model says itself when it is done
    stop = () if ends_turn or shape.gap == "\n\n" else ("\n\n",) if shape.gap else ("\n",)
    return replace(task, max_new_tokens=tokens, stop=stop)


def room(longest: int) -> int:
    """Return how many tokens a target of ``longest`` bytes needs at most: two bytes a token, in eights.

    English has four bytes a token, Chinese two to three; digits may be a token each, so there are 16 at least.
    """
    return min(MOST_TOKENS, max(LEAST_TOKENS, -(-longest // 16) * 8))


def _free_name(path: str, taken: set[str]) -> str:
    """A name for a task, from its dataset's file name: what a metric's name and a path can hold."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", _stem(path)).strip("-._")[:60] or "task"
    return next(name for number in range(1, len(taken) + 2) if (name := _numbered(plain, number)) not in taken)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _stem(path: str) -> str:
    """``qa`` for datasets/qa.jsonl and prompts/qa.prompt.yml."""
    return PurePosixPath(path).name.partition(".")[0]
