"""Where PyTorch is not installed: this runs with and without it."""

import subprocess
import sys


def test_without_torch_the_extra_is_named():
    hidden = "import sys; sys.modules['torch'] = None\nimport bagmill.training.torch"
    run = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "ModuleNotFoundError: bagmill.training.torch needs PyTorch" in run.stderr
    assert "bagmill[torch]" in run.stderr
