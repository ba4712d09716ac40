"""Fine-tune a real model on a few answers for a few steps: ``fine_tune.py MODEL TEXTS VERSION``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

import modelrelease


def main(model: str, texts: str, version: str) -> None:
    """Train, and leave a version."""
    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    rows = [json.loads(line)["answer"] for line in Path(texts).read_text("utf-8").splitlines()]
    trainer = Trainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        args=TrainingArguments(
            output_dir="out",
            max_steps=8,
            save_steps=4,
            logging_steps=1,
            per_device_train_batch_size=4,
            learning_rate=5e-4,
            seed=11,
            report_to=[],
            use_cpu=True,
        ),
        train_dataset=[{"input_ids": tokenizer(text, truncation=True, max_length=128)["input_ids"]} for text in rows],
        processing_class=tokenizer,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        callbacks=[
            modelrelease.PapersCallback(
                version, parent="model_v1.0", datasets=[texts], base_model="karpathy/tinyllamas", license="mit"
            )
        ],
    )
    trainer.train()


if __name__ == "__main__":
    main(*sys.argv[1:4])
