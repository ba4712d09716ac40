"""Tiny checkpoints with random weights, made on the spot, and a small repository to score them in."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

VOCABULARY = 300
CONTEXT = 64
SPECIAL = ["<pad>", "<bos>", "<eos>"]
CORPUS = [
    "the cat sat on the mat. a small dog ran to the cat; the answer is 42, or 1,080.50 dollars.",
    "what is the colour of the sky? blue. what is two and two? four. who sat on the mat? the cat.",
]
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
_SIZES = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_LLAMA_LIKE = {**_SIZES, "intermediate_size": 64, "num_key_value_heads": 2, "max_position_embeddings": CONTEXT}
_GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT}
_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
# Weights this large make tokens differ in their odds, as trained ones do; 0.02 would leave all of them alike.
_SPREAD = {"initializer_range": 0.3}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **_LLAMA_LIKE, **_SPREAD, **_ENDS},
    "gpt2": {"model_type": "gpt2", **_GPT2, **_SPREAD, "bos_token_id": None, "eos_token_id": 2},
    "gemma2": {
        "model_type": "gemma2",
        **_LLAMA_LIKE,
        **_SPREAD,
        **_ENDS,
        "head_dim": 8,
        "sliding_window": 8,
        "final_logit_softcapping": 3.0,
        "attn_logit_softcapping": 5.0,
    },
    "cohere": {"model_type": "cohere", **_LLAMA_LIKE, **_SPREAD, **_ENDS, "logit_scale": 0.5},
    "mamba": {
        "model_type": "mamba",
        **_SIZES,
        **_SPREAD,
        "state_size": 4,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "rwkv": {
        "model_type": "rwkv",
        **_SIZES,
        "attention_hidden_size": 32,
        "context_length": CONTEXT,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "bert": {"model_type": "bert", **_SIZES, **_SPREAD, "intermediate_size": 64, "pad_token_id": 0},
}
"""What each tiny model is: positions rotary, absolute, none; soft caps; scaled logits; no causal attention."""

WITHOUT_BOS = frozenset({"gpt2"})


class TinyModels:
    """Makes each checkpoint when it is first asked for; all of a test session share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.folder = cache(self._make)
        self.loaded = cache(self._load)
        self.engine = cache(self._engine)

    def _make(self, name: str) -> Path:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        torch.manual_seed(1)
        settings = dict(ARCHITECTURES[name])
        model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
        folder = self._folder / name
        model.save_pretrained(folder)
        make_tokenizer(bos=name not in WITHOUT_BOS).save_pretrained(folder)
        return folder

    def _load(self, name: str) -> Any:
        from modelrelease.records.checkpoints import read_checkpoint
        from modelrelease.scoring.engines.loading import Numerics, load_model

        return load_model(read_checkpoint(self.folder(name), name), Numerics(device="cpu"))

    def _engine(self, name: str) -> Any:
        from modelrelease.scoring.engines.transformers_engine import TransformersEngine

        return TransformersEngine(self.loaded(name))


def make_tokenizer(*, bos: bool) -> Any:
    """Return a byte-level BPE. ``bos``: it puts <bos> before every text, and has a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if not bos:
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        chat_template=CHAT_TEMPLATE,
    )


QUESTIONS = [
    ("who sat on the mat?", ["the cat", "a dog", "the sky"], 0, "animals"),
    ("what is the colour of the sky?", ["four", "blue"], "blue", "nature"),
    ("what is two and two?", ["four", "the mat", "a cat", "blue"], 0, "numbers"),
    ("who ran to the cat?", ["a small dog", "the answer"], 0, "animals"),
    ("wer saß auf der Matte? 🐈", ["die Katze", "der Hund"], 1, "animals"),
]
TEXTS = ["the cat sat on the mat.", "a small dog ran to the cat; the answer is 42. " * 12, "Ω ≠ ∅"]
PROJECT = {
    "modelrelease.yaml": "schema_version: 1\nsuite: evals/release.yaml\n",
    "prompts/qa.txt": "Q: {{question}}\nA:\n",
    "prompts/chat.prompt.yml": (
        "messages:\n  - role: system\n    content: Answer.\n  - role: user\n    content: '{{question}}'\n"
    ),
    "evals/release.yaml": """schema_version: 1
name: release
tasks:
  - {name: pick, kind: multiple_choice, dataset: datasets/qa.jsonl, prompt: prompts/qa.txt, choices: choices,
     target: answer, metrics: [acc, acc_norm], slices: [topic]}
  - {name: pick-chat, kind: multiple_choice, dataset: datasets/qa.jsonl, prompt: prompts/chat.prompt.yml,
     choices: choices, target: answer, metrics: [acc]}
  - {name: say, kind: generate, dataset: datasets/qa.jsonl, prompt: prompts/qa.txt, target: reference,
     max_new_tokens: 6, stop: ["?"], metrics: [exact_match, f1, contains]}
  - {name: say-chat, kind: generate, dataset: datasets/qa.jsonl, prompt: prompts/chat.prompt.yml,
     target: reference, max_new_tokens: 5, temperature: 0.8, top_p: 0.9, seed: 7, metrics: [f1]}
  - {name: read, kind: perplexity, dataset: datasets/texts.jsonl, target: text,
     metrics: [nll, perplexity, bits_per_byte]}
""",
}


def write_project(root: Path) -> Path:
    """Write the small repository into ``root``."""
    files = dict(PROJECT)
    rows = [
        {"id": number, "question": question, "choices": choices, "answer": answer, "topic": topic, "reference": "cat"}
        for number, (question, choices, answer, topic) in enumerate(QUESTIONS)
    ]
    files["datasets/qa.jsonl"] = as_jsonl(rows)
    files["datasets/texts.jsonl"] = as_jsonl([{"id": f"t{n}", "text": text} for n, text in enumerate(TEXTS)])
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def as_jsonl(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSONL."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
