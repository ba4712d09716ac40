"""What a Trainer leaves beside the weights to go on from: no part of a checkpoint. Told by their names.

Source of the names: transformers' trainer.py, accelerate's checkpointing.py, and DeepSpeed's engine.py (its folders
`global_step…`, the file `latest` that names one, and the script that it copies beside them).
"""

from __future__ import annotations

import re

from modelrelease.codes import Code
from modelrelease.errors import Finding

_FILE = re.compile(
    r"training_args\.(?:bin|json)|trainer_state\.json|latest|zero_to_fp32\.py"
    r"|(?:optimizer|scheduler|scaler|sampler|dl_state_dict)(?:_\d+)?\.(?:pt|bin|pth|pkl)"
    r"|(?:rng_state|random_states|custom_checkpoint)(?:_\d+)?\.(?:pth|pt|pkl)"
)
_FOLDER = re.compile(r"global_step\d+|(?:optimizer|pytorch_model_fsdp)_\d+")


def is_training_state(path: str) -> bool:
    """Return whether a file below a checkpoint is what training needs to go on, and nobody who uses the model.

    ``path``: a name, or a path relative to the checkpoint with `/`. Nothing of it is read to load a model.
    """
    *folders, name = path.split("/")
    return _FILE.fullmatch(name) is not None or any(_FOLDER.fullmatch(folder) for folder in folders)


def training_state(shown: str) -> Finding:
    """Return the finding (MR417) that a file is what training goes on from."""
    message = "is what training goes on from, and no part of a checkpoint"
    todo = f"keep it where you train, or name it in .gitignore; where git has it: `git rm --cached {shown}`"
    return Finding(shown, Code.TRAINING_STATE, message, todo)
