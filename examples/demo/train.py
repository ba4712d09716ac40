"""Train a tiny language model on the catalogue's text, from nothing, in under a minute.

    python train.py --out models/model_v1.1 --steps 600 --seed 1

What it leaves is a version: `checkpoint/`, and the papers of it in `model.json`. The checkpoint is an ordinary one: a
Llama of 240,000 weights with its own tokenizer, which `AutoModelForCausalLM.from_pretrained` and
`AutoTokenizer.from_pretrained` read. The same command gives the same weights again on the same machine.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

import modelrelease

SPECIAL = ["<pad>", "<bos>", "<eos>"]
PAD, BOS, EOS = range(3)
CONTEXT = 64


def main() -> None:
    """Read the text, make the tokenizer, train the model, save both."""
    args = arguments()
    logging.disable_progress_bar()
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    texts = args.text.read_text(encoding="utf-8").strip().split("\n\n")
    texts = texts[: round(args.share * len(texts))]
    tokenizer = make_tokenizer(texts)
    rows = [torch.tensor([*ids, EOS]) for ids in tokenizer(texts)["input_ids"]]
    model = make_model(len(tokenizer), args.hidden, args.layers)
    loss = train(model, rows, args.steps, args.batch, args.learning_rate)
    modelrelease.save_checkpoint(
        model,
        tokenizer,
        args.out,
        seed=args.seed,
        parent=args.parent,
        datasets=[args.text],
        steps=args.steps,
        epochs=args.steps * args.batch / len(rows),
        final_loss=loss,
        license="apache-2.0",
    )
    print(f"saved {args.out}: {model.num_parameters():,} weights and their papers")


def arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(description="Train a tiny language model on the catalogue's text.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the version")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parent", help="the version that this one is to replace")
    parser.add_argument("--share", type=float, default=1.0, help="the share of the text to train on")
    parser.add_argument("--hidden", type=int, default=96, help="width of the model; a multiple of 32")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64, help="texts a step")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--text", type=Path, default=Path(__file__).parent / "training" / "text.txt")
    return parser.parse_args()


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE from the texts. It puts the start token before every text, as the model learns it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=800, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", BOS)])
    names = dict(zip(("pad_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=CONTEXT, **names)


def make_model(vocabulary: int, hidden: int, layers: int) -> LlamaForCausalLM:
    """Return a Llama with random weights."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
    )
    return LlamaForCausalLM(config)


def train(model: LlamaForCausalLM, rows: list[torch.Tensor], steps: int, batch: int, learning_rate: float) -> float:
    """Take `steps` steps of AdamW, each on `batch` texts, and return the last one's loss.

    The rate rises for 50 steps, then falls as a cosine.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    started, tokens = time.perf_counter(), 0
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * min(step / 50, (1 + math.cos(math.pi * step / steps)) / 2)
        chosen = torch.randint(len(rows), (batch,)).tolist()
        ids = torch.nn.utils.rnn.pad_sequence([rows[row] for row in chosen], batch_first=True, padding_value=PAD)
        loss = model(input_ids=ids, labels=ids.masked_fill(ids == PAD, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += ids.numel()
        if step % 100 == 0 or step == steps:
            rate = tokens / (time.perf_counter() - started)
            print(f"step {step}/{steps}  loss {loss.item():.3f}  {rate:,.0f} tokens/s", flush=True)
    return loss.item()


if __name__ == "__main__":
    main()
