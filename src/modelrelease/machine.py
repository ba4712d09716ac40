"""The machine that this process runs on: what training or scoring on it can depend on. What cannot be told is None."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from modelrelease.records.model import Gpu, Machine

PACKAGES = (
    "accelerate", "apex", "bitsandbytes", "datasets", "deepspeed", "flash-attn", "flax", "huggingface-hub", "jax",
    "keras", "liger-kernel", "lightning", "mlx", "modelrelease", "numpy", "optimum", "peft", "pyarrow",
    "pytorch-lightning", "safetensors", "sentencepiece", "tensorflow", "tiktoken", "tokenizers", "torch", "torchao",
    "torchtune", "transformer-engine", "transformers", "triton", "trl", "unsloth", "xformers",
)  # fmt: skip
"""Distributions that training can depend on. Their versions are looked up; none is imported."""

_DRIVER = Path("/proc/driver/nvidia/version")


def describe_machine() -> Machine:
    """Return the present machine and what is installed for this Python.

    GPUs are asked of torch, which is imported for it only where there is an NVIDIA driver; without a GPU ``gpus`` is
    empty and ``cuda`` None. Sizes in bytes; ``cores`` as the system counts them.
    """
    driver = driver_version()
    torch = _torch(wanted=driver is not None)
    seen = torch is not None and torch.cuda.is_available()
    return Machine(
        python=platform.python_version(),
        packages={name: version for name in PACKAGES if (version := _version(name)) is not None},
        cuda=torch.version.cuda if torch is not None and seen else None,
        driver=driver,
        gpus=_gpus(torch) if seen else (),
        cpu=cpu_name(),
        cores=os.cpu_count(),
        memory=_memory(),
        machine=platform.machine(),
        os=os_name(),
    )


def cpu_name() -> str:
    """Return the processor's name, or its architecture where the system does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def driver_version() -> str | None:
    """Return what the NVIDIA driver says of itself, None where there is none."""
    with contextlib.suppress(OSError, IndexError):
        return _DRIVER.read_text(encoding="utf-8").splitlines()[0].strip()
    return None


def os_name() -> str:
    """Return the operating system and its release."""
    return f"{platform.system()} {platform.release()}"


def _torch(*, wanted: bool) -> Any:
    """Return torch where it is loaded already, or where it is ``wanted`` and there; None otherwise."""
    if wanted and "torch" not in sys.modules:
        with contextlib.suppress(ImportError):
            importlib.import_module("torch")
    return sys.modules.get("torch")


def _gpus(torch: Any) -> tuple[Gpu, ...]:
    found = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return tuple(Gpu(name=str(gpu.name), memory=int(gpu.total_memory)) for gpu in found)


def _memory() -> int | None:
    with contextlib.suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
