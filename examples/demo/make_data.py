"""Write the training text and the test sets of a support desk's little world.

    python make_data.py

Standard library only and seeded: the same program writes the same bytes on every machine.

A story is a few sentences of facts ("Ana ordered 3 red cups.") and questions about them. The split is by *sentence*:
a sentence that `held_out` picks stands in test stories only, every other in training stories only. So each test story
is new to the model, down to every single sentence, while each word, rule and form of question is not.
"""

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

TRAINING_STORIES = 16_000
EACH_QUESTION = 40  # test rows of each category
EACH_REPLY = 30
TEXTS = 60

NAMES = "Ana Ben Carl Dora Emil Fay Gina Hugo Ida Jon Kim Lea Max Nora Omar Pia".split()
COLOURS = "red blue green white black brown pink grey".split()
ONE = "cup lamp box knife brush shelf dish toy bag leaf watch coat key plate bench wolf".split()
MANY = "cups lamps boxes knives brushes shelves dishes toys bags leaves watches coats keys plates benches wolves".split()
PLACES = "Rome Oslo Paris Lima Cairo Bern Delhi Kyoto Quito Dublin".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FEW = "1 2 3 4 5".split()
SOME = "6 7 8 9 10 11 12 13".split()
COUNTS = "2 3 4 5 6 7 8 9".split()
GIVEN = {
    "late": "a voucher",
    "broken": "a refund",
    "wrong": "an exchange",
    "dirty": "a discount",
    "lost": "a second parcel",
    "incomplete": "the rest",
}
PAIRS = "hot cold, heavy light, new old, wet dry, clean dusty, full empty, open closed, soft hard".split(", ")
OPPOSITE = {word: other for pair in PAIRS for word, other in (pair.split(), pair.split()[::-1])}
QUESTIONS = ("who", "number", "colour", "most", "place", "left", "total", "rule", "opposite", "plural")
REPLIES = ("order", "place", "stock", "rule", "opposite")
FOLDER = Path(__file__).parent
Row = dict[str, object]


class Question(NamedTuple):
    """A question with a short answer to choose, among three wrong ones."""

    category: str
    text: str
    answer: str
    wrong: Sequence[str]


class Reply(NamedTuple):
    """A customer's question and the whole sentence that the desk replies."""

    category: str
    text: str
    answer: str


class Story(NamedTuple):
    """A passage and what can be asked about it."""

    passage: str
    questions: list[Question]
    replies: list[Reply]


def held_out(sentence: str) -> bool:
    """Say whether a sentence belongs to the test sets: one in eight does, whatever the seed."""
    return hashlib.sha256(sentence.encode()).digest()[0] < 32


def draw(rng: random.Random, test: bool, form: str, *words: Sequence[str], times: int = 1) -> list[tuple[str, ...]]:
    """Return `times` facts that share no word: one of each of `words`, which `form` makes a sentence of one side."""
    facts: list[tuple[str, ...]] = []
    while len(facts) < times:
        fact = tuple(rng.choice(some) for some in words)
        new = not any(set(fact) & set(other) for other in facts)
        if new and held_out(form.format(*fact)) is test:
            facts.append(fact)
    return facts


def tell(form: str, facts: list[tuple[str, ...]]) -> str:
    """Return the facts as sentences."""
    return " ".join(form.format(*fact) for fact in facts)


def others(rng: random.Random, words: Sequence[str], seen: Sequence[str], answer: str) -> list[str]:
    """Return three wrong answers: first those that stand in the passage, then any."""
    unseen = [word for word in words if word not in seen]
    return [word for word in dict.fromkeys([*seen, *rng.sample(unseen, 3)]) if word != answer][:3]


def orders(rng: random.Random, test: bool) -> Story:
    """Three customers order something: look it up, or compare."""
    form = "{} ordered {} {} {}."
    facts = draw(rng, test, form, NAMES, COUNTS, COLOURS, MANY, times=3)
    names, counts, colours, _ = zip(*facts, strict=True)
    who, number, colour, order = (rng.choice(facts) for _ in range(4))
    most = max(facts, key=lambda fact: int(fact[1]))[0]
    questions = [
        Question("who", f"Who ordered the {who[3]}?", who[0], others(rng, NAMES, names, who[0])),
        Question("number", f"How many {number[3]} did {number[0]} order?", number[1], others(rng, COUNTS, counts, number[1])),
        Question("colour", f"Which colour are the {colour[3]}?", colour[2], others(rng, COLOURS, colours, colour[2])),
        Question("most", "Who ordered the most?", most, others(rng, NAMES, names, most)),
    ]
    reply = Reply("order", f"What did {order[0]} order?", form.format(*order))
    return Story(tell(form, facts), questions, [reply])


def vans(rng: random.Random, test: bool) -> Story:
    """Two vans carry things to places: two steps from the thing to the place."""
    load, drive = "{} has the {} {}.", "{} drives to {} on {}."
    loads = draw(rng, test, load, NAMES, COLOURS, MANY, times=2)
    drives = [draw(rng, test, drive, [name], PLACES, DAYS)[0] for name, _, _ in loads]
    chosen = rng.randrange(2)
    name, _, thing = loads[chosen]
    _, place, day = drives[chosen]
    seen = [fact[1] for fact in drives]
    questions = [
        Question("place", f"Where do the {thing} go?", place, others(rng, PLACES, seen, place)),
        Question("who", f"Who has the {thing}?", name, others(rng, NAMES, [fact[0] for fact in loads], name)),
    ]
    reply = Reply("place", f"When do the {thing} come?", f"{name} comes to {place} on {day}.")
    rng.shuffle(drives)
    return Story(f"{tell(load, loads)} {tell(drive, drives)}", questions, [reply])


def stock(rng: random.Random, test: bool) -> Story:
    """Somebody sells some, or buys some more: a small sum."""
    category, form, sign = rng.choice(
        [("left", "{} had {} {} {} and sold {}.", -1), ("total", "{} had {} {} {} and bought {}.", 1)]
    )
    [fact] = draw(rng, test, form, NAMES, SOME, COLOURS, MANY, FEW)
    name, before, _, thing, change = fact
    after = int(before) + sign * int(change)
    wrong = [str(after - 1), str(after + 1), str(int(before) - sign * int(change))]
    question = Question(category, f"How many {thing} does {name} have now?", str(after), wrong)
    reply = Reply("stock", f"What does {name} have?", f"{name} has {after} {thing}.")
    return Story(tell(form, [fact]), [question], [reply])


def complaints(rng: random.Random, test: bool) -> Story:
    """Something went wrong for two customers: the desk's rules say what each gets."""
    form = "The {} {} of {} were {}."
    facts = draw(rng, test, form, COLOURS, MANY, NAMES, list(GIVEN), times=2)
    _, _, name, trouble = rng.choice(facts)
    given = GIVEN[trouble]
    wrong = others(rng, list(GIVEN.values()), [GIVEN[fact[3]] for fact in facts], given)
    question = Question("rule", f"What does {name} get?", given, wrong)
    reply = Reply("rule", f"I am {name}. What do I get?", f"{name}, your parcel was {trouble}, you get {given}.")
    return Story(tell(form, facts), [question], [reply])


def opposites(rng: random.Random, test: bool) -> Story:
    """Two things have changed to the opposite."""
    form = "The {} {} of {} were {} and are now the opposite."
    facts = draw(rng, test, form, COLOURS, MANY, NAMES, list(OPPOSITE), times=2)
    _, thing, name, before = rng.choice(facts)
    now = OPPOSITE[before]
    wrong = others(rng, list(OPPOSITE), [before, *(OPPOSITE[fact[3]] for fact in facts)], now)
    question = Question("opposite", f"How are the {thing} now?", now, wrong)
    reply = Reply("opposite", f"I am {name}. How are my {thing}?", f"{name}, your {thing} are {now}.")
    return Story(tell(form, facts), [question], [reply])


def plurals(rng: random.Random, test: bool) -> Story:
    """One thing becomes several."""
    form = "{} has 1 {} {} and gets {}."
    [fact] = draw(rng, test, form, NAMES, COLOURS, ONE, FEW)
    name, _, one, more = fact
    many, count = MANY[ONE.index(one)], int(more) + 1
    wrong = [f"{count} {one}", f"{count - 1} {many}", f"{count + 1} {many}"]
    question = Question("plural", f"What does {name} have now?", f"{count} {many}", wrong)
    return Story(tell(form, [fact]), [question], [])


STORIES: list[Callable[[random.Random, bool], Story]] = [orders, vans, stock, complaints, opposites, plurals]


def as_text(story: Story, rng: random.Random) -> str:
    """Return a story as the model reads it in training: the note, then what was asked and answered, in any order."""
    asked = [f"Q: {question.text}\nA: {question.answer}" for question in story.questions]
    asked += [f"Customer: {reply.text}\nDesk: {reply.answer}" for reply in story.replies]
    rng.shuffle(asked)
    return "\n".join([f"Note: {story.passage}", *asked])


def stories(rng: random.Random, test: bool) -> Iterator[Story]:
    """Yield new stories of one side, every kind in turn."""
    seen = set()
    while True:
        for kind in STORIES:
            story = kind(rng, test)
            if story.passage not in seen:
                seen.add(story.passage)
                yield story


def pick(rng: random.Random, held: Iterator[Story], field: str, categories: Sequence[str], each: int) -> Iterator[tuple]:
    """Yield `each` questions (or replies: `field`) of every category, each of another story, numbered from 0."""
    count = Counter(dict.fromkeys(categories, 0))
    for story in held:
        asked = [ask for ask in getattr(story, field) if count[ask.category] < each]
        if asked:
            ask = rng.choice(asked)
            yield count[ask.category], story, ask
            count[ask.category] += 1
        if count.total() == each * len(categories):
            return


def choose_row(rng: random.Random, number: int, story: Story, ask: Question) -> Row:
    """Return a row with four choices; the right one stands at each place equally often."""
    choices = rng.sample(ask.wrong, 3)
    choices.insert(number % 4, ask.answer)
    return {**row(number, story, ask), "choices": choices, "answer": number % 4}


def row(number: int, story: Story, ask: Question | Reply) -> Row:
    """Return what rows of both kinds have."""
    name = f"{ask.category}-{number + 1:02}"
    return {"id": name, "category": ask.category, "passage": story.passage, "question": ask.text}


def reply_row(number: int, story: Story, ask: Reply) -> Row:
    """Return a row whose answer the model has to write."""
    return {**row(number, story, ask), "answer": ask.answer}


def text_row(rng: random.Random, number: int, story: Story) -> Row:
    """Return a row of text to read."""
    return {"id": f"text-{number + 1:02}", "text": as_text(story, rng)}


def sentences(text: str) -> set[str]:
    """Return what stands between full stops and line ends, in small letters."""
    return {part.strip().lower() for part in re.split(r"[.?\n]|Note:", text)} - {""}


def write(path: str, text: str) -> None:
    """Write a file of this repository: the same bytes wherever it runs."""
    file = FOLDER / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())


def main() -> None:
    """Write the training text and the three test sets, and assert that no fact of a test stands in the training."""
    rng = random.Random(2026)
    held = list(islice(stories(rng, test=True), 2_000))
    told = iter(held)
    choose = [choose_row(rng, *found) for found in pick(rng, told, "questions", QUESTIONS, EACH_QUESTION)]
    reply = [reply_row(*found) for found in pick(rng, told, "replies", REPLIES, EACH_REPLY)]
    texts = [text_row(rng, number, story) for number, story in enumerate(islice(told, TEXTS))]
    training = "\n\n".join(as_text(story, rng) for story in islice(stories(rng, test=False), TRAINING_STORIES)) + "\n"

    facts = set().union(*(sentences(story.passage) for story in held))
    assert facts.isdisjoint(sentences(training)), "a test sentence stands in the training text"
    write("training/text.txt", training)
    for name, rows in {"choose": choose, "reply": reply, "texts": texts}.items():
        write(f"datasets/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
