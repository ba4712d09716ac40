from __future__ import annotations

from pathlib import Path

from builders import write

from modelrelease.records.results import read_results
from modelrelease.reports.evaluation import evaluation_table


def test_an_evaluation_is_a_table_what_was_unusual_and_where_it_lies(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"qa": {"acc": [1.0, 0.0, None, 1.0]}, "lm": {"nll": [1.0, 1.5, 2.0]}})
    assert evaluation_table(read_results(folder).evaluation, "models/model_v1.0") == (
        "metric      n    value  95% interval\n"
        "--------  ---  -------  --------------\n"
        "qa/acc      3     66.7  20.8 – 93.9\n"
        "lm/nll      3    1.500  0.9342 – 2.066\n"
        "\n"
        "unusual: 1 item that could not be scored\n"
        "7 items in 1.5 s, 100 tokens/s, 1 MB at most\n"
        "written to models/model_v1.0\n"
    )


def test_an_evaluation_in_which_nothing_could_be_scored_has_dashes(tmp_path: Path) -> None:
    text = evaluation_table(read_results(write(tmp_path / "a", {"qa": {"acc": [None]}})).evaluation, "out")
    assert "qa/acc      0        –  –\n" in text
