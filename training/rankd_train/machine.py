"""What a run log says about where its figures were made: the processor and the libraries, nothing that names a person."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "implicit")


def describe_machine() -> dict[str, object]:
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},
    }


def processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
