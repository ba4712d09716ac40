"""Write the training text and the test sets: what a shop's assistant should know of its catalogue.

    python make_data.py

Eighty products have a colour, a material, a maker's city, a warehouse and a price. Each of these 400 facts can be
asked or told in six ways. Training sees four of them; the other two are kept for the tests, so that no test question
stands in the training text, and answering it takes having learned the fact. The same seed writes the same bytes.
"""

import itertools
import json
import random
from collections.abc import Iterable
from pathlib import Path

SEED = 20
HERE = Path(__file__).parent

SYLLABLES = ["ba", "do", "fi", "ku", "la", "me", "no", "pi", "ra", "so", "ti", "vu", "wa", "ze"]
PRODUCTS = 80
VALUES = {
    "colour": ["red", "blue", "green", "white", "black", "yellow", "brown", "grey"],
    "material": ["oak", "steel", "glass", "wool", "clay", "cork", "brass", "linen"],
    "city": ["Oslo", "Turin", "Lyon", "Delft", "Porto", "Graz", "Gdansk", "Bergen"],
    "warehouse": ["north", "south", "east", "west", "harbour", "airport", "river", "station"],
    "price": ["9 euros", "12 euros", "15 euros", "19 euros", "24 euros", "29 euros", "35 euros", "49 euros"],
}
QUESTIONS = {
    "colour": [
        "What colour is {product}?",
        "Which colour does {product} have?",
        "In what colour do you sell {product}?",
        "A customer asks for the colour of {product}.",
        "{product}, what colour is that?",
        "Tell me the colour of {product}.",
    ],
    "material": [
        "What is {product} made of?",
        "Which material is {product} made from?",
        "What material do you use for {product}?",
        "A customer asks for the material of {product}.",
        "{product}, what material is that?",
        "Tell me the material of {product}.",
    ],
    "city": [
        "Where is {product} made?",
        "Which city does {product} come from?",
        "In what city do they make {product}?",
        "A customer asks for the city of {product}.",
        "{product}, what city is that from?",
        "Tell me the city of {product}.",
    ],
    "warehouse": [
        "Where is {product} kept?",
        "Which warehouse holds {product}?",
        "In what warehouse do you keep {product}?",
        "A customer asks for the warehouse of {product}.",
        "{product}, what warehouse is that in?",
        "Tell me the warehouse of {product}.",
    ],
    "price": [
        "How much is {product}?",
        "Which price does {product} have?",
        "For what price do you sell {product}?",
        "A customer asks for the price of {product}.",
        "{product}, what price is that?",
        "Tell me the price of {product}.",
    ],
}
REPLIES = 160


def main() -> None:
    """Write training/text.txt and the three test sets."""
    draw = random.Random(SEED)
    training, choose, reply = [], [], []
    for product, kind in itertools.product(products(draw), VALUES):
        value = draw.choice(VALUES[kind])
        questions = [question.format(product=product) for question in QUESTIONS[kind]]
        draw.shuffle(questions)
        choose.append(choice_item(draw, kind, questions[0], value))
        reply.append({"question": questions[1], "answer": value, "category": kind})
        training += [f"Q: {question}\nA: {value}" for question in questions[2:]]
    draw.shuffle(training)
    draw.shuffle(reply)
    texts = [{"text": f"Q: {item['question']}\nA: {item['answer']}"} for item in reply[REPLIES : REPLIES + 80]]
    refuse_leaks(training, [item["question"] for item in choose + reply])
    write("training/text.txt", "\n\n".join(training) + "\n")
    write("datasets/choose.jsonl", rows("c", choose))
    write("datasets/reply.jsonl", rows("r", reply[:REPLIES]))
    write("datasets/texts.jsonl", rows("t", texts))


def products(draw: random.Random) -> list[str]:
    """Return the products' invented names."""
    names = ["".join(pair).capitalize() for pair in itertools.permutations(SYLLABLES, 2)]
    return draw.sample(names, PRODUCTS)


def choice_item(draw: random.Random, kind: str, question: str, value: str) -> dict[str, object]:
    """Return a question with four choices, one of them right, in random order."""
    choices = [value, *draw.sample([other for other in VALUES[kind] if other != value], 3)]
    draw.shuffle(choices)
    return {"question": question, "choices": choices, "answer": choices.index(value), "category": kind}


def refuse_leaks(training: Iterable[str], questions: Iterable[str]) -> None:
    """Stop if a test question stands in the training text: such a test would measure nothing."""
    text = "\n".join(training).lower()
    leaked = [question for question in questions if question.lower() in text]
    if leaked:
        raise SystemExit(f"{len(leaked)} test questions stand in the training text, such as {leaked[0]!r}")


def rows(prefix: str, items: list[dict[str, object]]) -> str:
    """Return items as JSONL, each with an id."""
    return "".join(json.dumps({"id": f"{prefix}{n:03}", **item}) + "\n" for n, item in enumerate(items, start=1))


def write(name: str, text: str) -> None:
    """Write one file below this folder and say so."""
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    print(f"wrote {name}: {len(text):,} characters")


if __name__ == "__main__":
    main()
