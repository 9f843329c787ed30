"""Reading parity cases: numbers of the official implementations.

``tests/data/parity/{network}/{case}.json`` holds what an official
implementation printed for weights and inputs that ``recipe.py`` rebuilds from
names and shapes; the file names its repository and commit.
"""
from pathlib import Path

import torch

from . import recipe

ROOT = Path(__file__).resolve().parents[1] / 'data' / 'parity'


def load(network, case):
    """The case as a dict."""
    return recipe.load(ROOT / network / f'{case}.json')


def state(case, dtype=torch.float32):
    """The official state dict of a case, as tensors."""
    tensors = {}
    for name, shape in case['state']:
        value = torch.from_numpy(recipe.fill(name, shape))
        tensors[name] = value.to(dtype) if value.is_floating_point() else value
    return tensors


def inputs(case, dtype=torch.float32):
    """The inputs of a case by name."""
    return {
        entry['name']:
        torch.from_numpy(recipe.image(entry['shape'],
                                      entry.get('salt', 0))).to(dtype)
        for entry in case['inputs']
    }


def check(tensor, want, rtol):
    """Compare one output; the largest relative error is returned."""
    return recipe.check(tensor.detach().cpu().numpy(), want, rtol)
