"""The machine as papers describe it: what is there, and nothing that is not."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from modelrelease.machine import PACKAGES, cpu_name, describe_machine, os_name


def test_this_machine_is_described() -> None:
    found = describe_machine()
    assert (found.python, found.machine, found.cores) == (
        platform.python_version(),
        platform.machine(),
        os.cpu_count(),
    )
    assert (found.cpu, found.os) == (cpu_name(), os_name())
    assert found.packages["modelrelease"] == metadata.version("modelrelease")
    assert set(found.packages) <= set(PACKAGES)
    assert "no-such-package" not in found.packages


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="needs Linux")
def test_memory_is_what_the_system_says_in_bytes() -> None:
    said = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert said is not None
    assert describe_machine().memory == int(said[1]) * 1024


@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="this machine has a GPU")
def test_without_a_gpu_none_is_invented_and_torch_is_not_loaded_to_look() -> None:
    program = (
        "import sys; from modelrelease.machine import describe_machine as d; m = d(); "
        "print(m.cuda, m.driver, m.gpus, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "None None () False\n"
