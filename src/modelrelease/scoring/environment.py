"""Where numbers were made, as far as it can move their last bits."""

from __future__ import annotations

import contextlib
import platform
import socket
import sys
from typing import Any

from modelrelease.machine import cpu_name, driver_version, os_name
from modelrelease.records.evaluation import Environment


def describe_environment(torch: Any) -> Environment:
    """Return the present process' environment; ``torch`` is the imported module."""
    import tokenizers
    import transformers

    cuda = torch.cuda.is_available()
    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        transformers=transformers.__version__,
        tokenizers=tokenizers.__version__,
        cuda=torch.version.cuda if cuda else None,
        driver=driver_version() if cuda else None,
        gpus=tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())) if cuda else (),
        cpu=cpu_name(),
        machine=platform.machine(),
        threads=torch.get_num_threads(),
        os=os_name(),
    )


def host_name() -> str:
    """Return this machine's name."""
    return socket.gethostname()


def peak_memory() -> int:
    """Return the most memory this process has held, in bytes; 0 where the system does not say."""
    with contextlib.suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(peak if sys.platform == "darwin" else peak * 1024)
    return 0
