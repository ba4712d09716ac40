"""Software discipline for language-model checkpoints, prompts and test sets.

Importing this package imports nothing else: see docs and ``modelrelease --help``. ``save_checkpoint`` and
``PapersCallback`` are fetched when they are first asked for.
"""

__version__ = "0.1.0"
__all__ = ["PapersCallback", "__version__", "save_checkpoint"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.flows.save import save_checkpoint
    from modelrelease.flows.trainer import PapersCallback

_PUBLIC = {"save_checkpoint": "modelrelease.flows.save", "PapersCallback": "modelrelease.flows.trainer"}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
