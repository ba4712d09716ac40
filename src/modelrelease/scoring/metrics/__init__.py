"""The metrics' arithmetic, one item at a time; what they are called and their ranges: records.metric_types."""

from modelrelease.scoring.metrics.choices import Pick, pick_choice
from modelrelease.scoring.metrics.likelihood import likelihood_score
from modelrelease.scoring.metrics.patterns import PatternTimeoutError, pattern_problem
from modelrelease.scoring.metrics.text import TextScorer

__all__ = ["PatternTimeoutError", "Pick", "TextScorer", "likelihood_score", "pattern_problem", "pick_choice"]
