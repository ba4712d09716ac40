from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput
from modelrelease.scoring.chat import ChatLimits, render_chats

CHATS = [
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
    [{"role": "user", "content": "{{ 7 * 7 }} <bos> ünï\n"}],
]
TIGHT = ChatLimits(seconds_each=2.0, memory=1 << 30, characters=1000)
HOSTILE: dict[str, tuple[str, str | tuple[str, ...]]] = {
    "an endless loop": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "did not finish one conversation in 2 s",
    ),
    "gigabytes": ("{{ 'a' * 4000000000 }}", "asked for more than 1024 MB"),
    "ten megabytes": ("{{ 'a' * 10000000 }}", "failed: ValueError: a prompt of 10000000 characters"),
    "an exception": ("{{ raise_exception('no system role') }}", "failed: TemplateError: no system role"),
    "a way out": (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "failed: SecurityError: access to attribute '__class__' of 'str' object is unsafe.",
    ),
    "a power without end": ("{{ 9 ** (9 ** 9) }}", "computes without end"),
    "a text that doubles": (
        "{% set n = namespace(x='aaaaaaaa' * 99999) %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        ("asked for more than 1024 MB", "did not finish one conversation in 2 s"),
    ),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "failed: RecursionError:"),
    "a filter for attributes": (
        "{{ (messages | attr('__class__')).mro() }}",
        "failed: SecurityError: access to attribute '__class__' of 'list' object is unsafe.",
    ),
    "attributes through a format": (
        "{{ '{0.__class__.__mro__}'.format(messages) }}",
        "failed: SecurityError: access to attribute '__class__' of 'list' object is unsafe.",
    ),
    "globals of a function": (
        "{{ cycler.__init__.__globals__ }}",
        "failed: SecurityError: access to attribute '__init__' of 'type' object is unsafe.",
    ),
    "a change of what it was given": ("{{ messages.append(1) }}", "failed: SecurityError: "),
    "another file": ("{% include '/etc/hostname' %}", "failed: TypeError: no loader for this environment specified"),
    "half a character": ("\ud800", "failed: UnicodeEncodeError:"),
}


def with_template(tiny: TinyModels, folder: Path, template: str | None) -> Path:
    """A copy of the tiny checkpoint whose tokenizer has another chat template."""
    shutil.copytree(tiny.folder("llama"), folder)
    (folder / "chat_template.jinja").unlink()
    if template is not None:
        config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": template}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def outcomes(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[tuple[str, float]]]:
    """What came of each hostile template, and in how many seconds; two at a time."""

    def render(name: str, template: str) -> tuple[str, float]:
        folder = with_template(tiny, tmp_path_factory.mktemp("chat") / "checkpoint", template)
        begun = time.monotonic()
        try:
            return str(render_chats(folder, CHATS, "shown", TIGHT)), time.monotonic() - begun
        except InvalidInput as error:
            return str(error), time.monotonic() - begun

    with ThreadPoolExecutor(2) as pool:
        return {name: pool.submit(render, name, template) for name, (template, _) in HOSTILE.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_a_finding_within_seconds(
    name: str, outcomes: dict[str, Future[tuple[str, float]]]
) -> None:
    said, seconds = outcomes[name].result()
    expected = HOSTILE[name][1]
    prefix = "shown: MR408 the chat template "
    assert said.startswith(prefix)
    assert said.removeprefix(prefix).startswith(expected)
    assert said.endswith("; mend the chat template, or use a text prompt")
    assert seconds < 100  # the worker's own limits, not the parent's patience of two minutes


def test_conversations_are_rendered_by_the_checkpoints_own_template_whatever_the_locale(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    assert render_chats(tiny.folder("llama"), CHATS, "shown") == [
        "<bos>[system] Be brief.\n[user] Why?\n[assistant] ",
        "<bos>[user] {{ 7 * 7 }} <bos> ünï\n\n[assistant] ",
    ]


def test_a_template_that_asks_for_the_date_always_gets_the_same(tiny: TinyModels, tmp_path: Path) -> None:
    template = "Today is {{ strftime_now('%d %b %Y %H:%M:%S') }}."
    folder = with_template(tiny, tmp_path / "checkpoint", template)
    assert render_chats(folder, CHATS[:1], "shown") == ["Today is 26 Jul 2024 00:00:00."]


def test_without_a_template_messages_cannot_be_rendered(tiny: TinyModels, tmp_path: Path) -> None:
    folder = with_template(tiny, tmp_path / "checkpoint", None)
    with pytest.raises(InvalidInput) as caught:
        render_chats(folder, CHATS, "models/model_v1.0")
    assert caught.value.lines() == [
        "models/model_v1.0: MR408 the chat template is missing: the tokenizer has none and the prompt has messages; "
        "mend the chat template, or use a text prompt"
    ]


@pytest.mark.parametrize(("broken", "said"), [("tokenizer.json", "ended its process")])
def test_a_process_that_dies_is_a_finding(altered: Callable[..., Path], broken: str, said: str) -> None:
    folder = altered()
    (folder / broken).write_text("{", "utf-8")
    with pytest.raises(InvalidInput, match=f"MR408 the chat template {said}"):
        render_chats(folder, CHATS, "shown")


def test_a_process_that_hangs_where_no_alarm_reaches_it_is_ended_from_outside(tiny: TinyModels) -> None:
    begun = time.monotonic()
    with pytest.raises(InvalidInput, match=r"MR408 the chat template did not finish in 0\.3 s"):
        render_chats(tiny.folder("llama"), CHATS, "shown", ChatLimits(seconds_each=0.05, seconds_start=0.1))
    assert time.monotonic() - begun < 5


def test_nothing_is_started_for_no_conversations(tmp_path: Path) -> None:
    assert render_chats(tmp_path / "nowhere", [], "shown") == []
