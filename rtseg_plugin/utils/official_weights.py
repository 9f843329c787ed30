"""Official checkpoint files and their conversion by rules on key names.

A network's key map (``utils/key_maps/{network}.py``) is a list of rules
``(pattern, replacement)``: a regular expression that must match a whole
official key, and what it becomes, or ``None`` for a tensor that is left out on
purpose. The first rule that matches decides; a key that no rule matches stops
the conversion. Converters and tests use the same map.
"""
import os
import os.path as osp
import re
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from .safe_load import safe_torch_load

KeyRule = Tuple[str, Optional[str]]
_WRAPPERS = ('state_dict', 'model_state', 'model')


class Conversion(NamedTuple):
    """Result of :func:`convert_state_dict`.

    Attributes:
        state_dict (dict[str, Tensor]): Converted tensors by new name.
        left_out (list[str]): Official keys that a rule dropped on purpose.
    """
    state_dict: Dict[str, Tensor]
    left_out: List[str]


def unwrap_state_dict(checkpoint: object, source: str) -> Dict[str, Tensor]:
    """Find the flat state dict in what an official file holds.

    Official files are bare state dicts or dicts with one of the entries
    ``state_dict``, ``model_state`` and ``model``; keys may carry ``module.``.

    Args:
        checkpoint (object): What the file held.
        source (str): Name of the file, for error messages.

    Returns:
        dict[str, Tensor]: Tensors by official name, without ``module.``.

    Raises:
        ValueError: If there is no state dict in it.
    """
    for wrapper in _WRAPPERS:
        if isinstance(checkpoint, dict) and isinstance(
                checkpoint.get(wrapper), dict):
            checkpoint = checkpoint[wrapper]
            break
    if not isinstance(checkpoint, dict) or not checkpoint:
        raise ValueError(f'{source} holds no state dict but '
                         f'{type(checkpoint).__name__}')
    others = [k for k, v in checkpoint.items() if not torch.is_tensor(v)]
    if others:
        raise ValueError(
            f'{source} holds no flat state dict: {others[:5]} are no tensors. '
            f'Known wrappers are {", ".join(_WRAPPERS)}, or none')
    return OrderedDict((re.sub(r'^module\.', '', key), value)
                       for key, value in checkpoint.items())


def convert_state_dict(state_dict: Dict[str, Tensor],
                       rules: Sequence[KeyRule],
                       source: str = 'the state dict') -> Conversion:
    """Rename official tensors by the first rule that matches each key.

    Args:
        state_dict (dict[str, Tensor]): Tensors by official name.
        rules (Sequence[tuple[str, str | None]]): See the module's docstring.
        source (str): Where they come from, for error messages.

    Returns:
        Conversion: The renamed tensors, and what was left out on purpose.

    Raises:
        ValueError: If a tensor cannot be placed, two land on one name or
            nothing is left.
    """
    compiled = [(re.compile(pattern), new) for pattern, new in rules]
    converted: Dict[str, Tensor] = OrderedDict()
    left_out, unplaced = [], []
    for key, value in state_dict.items():
        for pattern, new in compiled:
            match = pattern.fullmatch(key)
            if match is None:
                continue
            if new is None:
                left_out.append(key)
                break
            name = match.expand(new)
            if name in converted:
                raise ValueError(f'{source}: two tensors become {name!r}, the '
                                 f'second is {key!r}')
            converted[name] = value
            break
        else:
            unplaced.append(key)
    if unplaced:
        raise ValueError(
            f'{source}: {len(unplaced)} of {len(state_dict)} tensors cannot '
            f'be placed, the first: {unplaced[:5]}. This file is not of the '
            'network that this converter is for')
    if not converted:
        raise ValueError(f'{source}: none of the {len(state_dict)} tensors '
                         'belongs to what was asked for')
    return Conversion(converted, left_out)


def save_checkpoint(state_dict: Dict[str, Tensor], path: str,
                    **meta: str) -> None:
    """Write ``{'state_dict', 'meta'}`` so that it is there whole or not.

    Args:
        state_dict (dict[str, Tensor]): What to write.
        path (str): File to write; its folder is made.
        **meta (str): Entries of ``meta``, such as ``source``.
    """
    os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
    unfinished = f'{path}.{os.getpid()}.partial'
    try:
        torch.save(dict(meta=dict(meta), state_dict=state_dict), unfinished)
        os.replace(unfinished, path)
    finally:
        if osp.exists(unfinished):
            os.remove(unfinished)


def load_official(path: str) -> Dict[str, Tensor]:
    """Read an official PyTorch file safely and unwrap its state dict.

    Args:
        path (str): A ``.pth``/``.pt`` file.

    Returns:
        dict[str, Tensor]: Tensors on the CPU by official name.
    """
    return unwrap_state_dict(safe_torch_load(path, 'cpu'), path)
