"""What the engine is asked: one request a choice, a window of a text, or a prompt to continue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.scoring.encoding import Codec, EncodedPair
from modelrelease.scoring.items import Item
from modelrelease.scoring.suites import LoadedTask

MAX_SCORED = 512
"""Positions projected onto the vocabulary at once; longer texts are scored window by window."""


@dataclass(frozen=True, slots=True)
class Request:
    """A sequence of token ids. Log-likelihood: of ``tokens[start:]`` given what stands before.

    Generation: ``start == len(tokens)``, and ``max_new_tokens`` are to be added at most.
    """

    item: int
    part: int
    tokens: tuple[int, ...]
    start: int
    max_new_tokens: int = 0


@dataclass(slots=True)
class ItemRequests:
    """The requests of one item and what is known of it before the model is asked."""

    requests: list[Request] = field(default_factory=list)
    prompt_tokens: int = 0
    scored_tokens: int = 0
    input_digest: str = ""
    truncated: bool = False
    mismatch: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Limits:
    """What the model can take: ``max_length`` positions, None where it has no end; ``vocabulary`` ids."""

    max_length: int | None
    vocabulary: int
    allow_truncation: bool = False


TRUNCATE = "shorten the prompt, or pass --allow-truncation to drop its beginning"

Rendered = Sequence[str]
"""The items' prompts as text, chat templates already applied, in item order."""


def build_requests(
    items: Sequence[Item], rendered: Rendered, tasks: tuple[LoadedTask, ...], codec: Codec, limits: Limits
) -> list[ItemRequests]:
    """Return each item's requests, in item order.

    Raises InvalidInput with every item that does not fit the model's context (MR407), unless truncation is
    allowed, and where the tokenizer gives ids that the model has no embedding for (MR402).
    """
    result = [ItemRequests() for _ in items]
    for index, task in enumerate(tasks):
        own = [number for number, item in enumerate(items) if item.task == index]
        _encode_task(task, own, items, rendered, codec, result)
    findings: list[Finding] = []
    for number, (item, entry) in enumerate(zip(items, result, strict=True)):
        findings += _fit(tasks[item.task], number, item, entry, limits)
        entry.input_digest = digest_of([request.tokens for request in entry.requests])
    findings += _foreign_tokens(result, limits.vocabulary)
    if findings:
        raise InvalidInput(findings)
    return result


def _encode_task(
    task: LoadedTask,
    own: list[int],
    items: Sequence[Item],
    rendered: Rendered,
    codec: Codec,
    result: list[ItemRequests],
) -> None:
    special = task.roles is None
    if task.spec.kind == "generate":
        prompts = codec.encode([rendered[number] for number in own], special=special)
        for number, ids in zip(own, prompts, strict=True):
            _add_prompt(result[number], number, ids, task.spec.max_new_tokens or 0, codec)
        return
    pairs, owners = [], []
    for number in own:
        for text in items[number].choices or (items[number].text,):
            pairs.append((rendered[number], task.delimiter + text))
            owners.append(number)
    for number, pair in zip(owners, codec.encode_pairs(pairs, special=special), strict=True):
        _add_pair(result[number], number, pair)


def _add_prompt(entry: ItemRequests, number: int, ids: list[int], new: int, codec: Codec) -> None:
    start = codec.start_token
    if not ids and start is not None:
        ids = [start]
    if not ids:
        entry.error = "the prompt has no tokens"
        return
    entry.prompt_tokens = len(ids)
    entry.requests.append(Request(number, 0, tuple(ids), len(ids), new))


def _add_pair(entry: ItemRequests, number: int, pair: EncodedPair) -> None:
    if pair.start < 1 or pair.start >= len(pair.tokens):
        entry.error = "a text to score has no tokens of its own, or nothing stands before it"
    entry.prompt_tokens = max(entry.prompt_tokens, pair.start)
    entry.scored_tokens += len(pair.tokens) - pair.start
    entry.mismatch |= pair.mismatch
    entry.requests.append(Request(number, len(entry.requests), tuple(pair.tokens), pair.start))


def _fit(task: LoadedTask, number: int, item: Item, entry: ItemRequests, limits: Limits) -> Iterator[Finding]:
    """Make an item's requests fit the context: windows for a text, truncation where it is allowed."""
    if entry.error is not None:
        entry.requests = []
        return
    if task.spec.kind == "perplexity":
        entry.requests = list(windows(entry.requests[0], limits.max_length))
        return
    limit = limits.max_length
    if limit is None or all(_positions(request) <= limit for request in entry.requests):
        return
    if limits.allow_truncation:
        shortened = [_truncated(request, limit) for request in entry.requests]
        if all(request is not None for request in shortened):
            entry.requests = [request for request in shortened if request is not None]
            entry.truncated = True
            return
    longest = max(_positions(request) for request in entry.requests)
    added = f", max_new_tokens of {task.spec.max_new_tokens} included," if task.spec.kind == "generate" else ""
    message = (
        f"item {item.row.id!r} of task `{task.spec.name}` needs {longest} tokens{added} and the model takes {limit}"
    )
    todo = "shorten the prompt" if limits.allow_truncation else TRUNCATE
    yield Finding(task.spec.dataset, Code.TOO_LONG, message, todo, item.row.line)


def _positions(request: Request) -> int:
    """The last token of a scored sequence is never fed, so it takes no position."""
    generating = request.start == len(request.tokens)
    return len(request.tokens) + request.max_new_tokens if generating else len(request.tokens) - 1


def _truncated(request: Request, limit: int) -> Request | None:
    """Return ``request`` without its beginning so that it fits, None where nothing of the context is left."""
    drop = max(0, _positions(request) - limit)
    if drop >= request.start:
        return None
    return Request(request.item, request.part, request.tokens[drop:], request.start - drop, request.max_new_tokens)


def windows(request: Request, limit: int | None) -> Iterator[Request]:
    """Cut a long text into windows whose scored parts follow on each other, at most ``MAX_SCORED`` long.

    Each window holds as much of what stands before as fits ``limit`` positions, so that a token sees at least
    half a context, and the first ones all there is. Source: the strided evaluation of Hugging Face's "Perplexity
    of fixed-length models".
    """
    tokens, begin = request.tokens, request.start
    stride = MAX_SCORED if limit is None else max(1, min(MAX_SCORED, limit // 2))
    part = 0
    while begin < len(tokens):
        reach = begin + stride if limit is None else max(begin + stride, limit + 1)
        end = min(len(tokens), begin + MAX_SCORED, reach)
        left = 0 if limit is None else max(0, end - limit - 1)
        yield Request(request.item, part, tokens[left:end], begin - left)
        begin, part = end, part + 1


def _foreign_tokens(entries: Iterable[ItemRequests], vocabulary: int) -> list[Finding]:
    largest = max((max(request.tokens) for entry in entries for request in entry.requests), default=0)
    if largest < vocabulary:
        return []
    message = f"the tokenizer gives id {largest} and the model has {vocabulary} embeddings"
    return [Finding("tokenizer", Code.TOKENIZER, message, "use the tokenizer that the model was trained with")]
