from __future__ import annotations

import json

import pytest
from commands import run


def test_how_many_items_a_margin_needs(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "power", "--margin", "0.02", "--discordance", "0.1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "To rule out a loss of 2.0 points with 80 % power when nothing changed:"
    assert ran.out.splitlines()[4].split() == ["10%", "1,546"]


def test_what_a_number_of_items_can_prove(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "power", "--items", "817")
    assert [line.split() for line in ran.out.splitlines()[4:]] == [
        ["2%", "1.2", "74%"],
        ["5%", "1.9", "78%"],
        ["10%", "2.8", "79%"],
        ["20%", "3.9", "80%"],
        ["30%", "4.8", "80%"],
    ]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--margin", "0.02", "--discordance", "0.05"), [{"discordance": 0.05, "items": 773}]),
        (("--margin", "0.05", "--discordance", "0.000001"), [{"discordance": 1e-06, "items": 59}]),
        (("--margin", "1e-300", "--discordance", "0.1"), [{"discordance": 0.1, "items": 10**15}]),
        (
            ("--items", "50000", "--discordance", "0.1"),
            [{"discordance": 0.1, "margin": pytest.approx(0.0035164, abs=1e-7), "promoted": None}],
        ),
    ],
)
def test_the_answer_as_json(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], answer: list[dict[str, object]]
) -> None:
    ran = run(capsys, "power", *arguments, "--json")
    assert (ran.code, json.loads(ran.out)) == (0, answer)
    assert ran.out == json.dumps(json.loads(ran.out), indent=2, sort_keys=True) + "\n"


def test_alpha_is_the_gate_s(capsys: pytest.CaptureFixture[str]) -> None:
    strict, loose = (
        json.loads(run(capsys, "power", "--margin", "0.02", "--discordance", "0.1", "--alpha", alpha, "--json").out)
        for alpha in ("0.01", "0.2")
    )
    assert strict[0]["items"] > 1546 > loose[0]["items"]


ONE_QUESTION = (
    "modelrelease power: MR601 asks one question at a time; pass --margin M [--discordance D], or --items N "
    "[--discordance D]\n"
)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), ONE_QUESTION),
        (("--margin", "0.02", "--items", "100"), ONE_QUESTION),
        (("--discordance", "0.1"), ONE_QUESTION),
        (("--margin", "3"), "modelrelease power: MR601 --margin 3 is no share; write 0.02 for two points\n"),
        (("--margin", "0"), "modelrelease power: MR601 --margin 0 is no share; write 0.02 for two points\n"),
        (("--margin", "nan"), "modelrelease power: MR601 --margin nan is no share; write 0.02 for two points\n"),
        (("--margin=-0.1",), "modelrelease power: MR601 --margin -0.1 is no share; write 0.02 for two points\n"),
        (
            ("--items", "9", "--discordance", "1"),
            "modelrelease power: MR601 --discordance 1 is no share; write 0.02 for two points\n",
        ),
        (
            ("--items", "9", "--alpha", "0.5"),
            "modelrelease power: MR601 --alpha 0.5 is no share; write 0.02 for two points\n",
        ),
        (("--items", "0"), "modelrelease power: MR601 --items 0 is no number of items; pass 1 to 10,000,000\n"),
        (
            ("--items", "10000001"),
            "modelrelease power: MR601 --items 10000001 is no number of items; pass 1 to 10,000,000\n",
        ),
        (
            ("--items", "many"),
            "modelrelease power: MR601 argument --items: invalid int value: 'many'; see `modelrelease power --help`\n",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    ran = run(capsys, "power", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", error)
