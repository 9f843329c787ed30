"""Official checkpoint files and their conversion by rules on key names.

A network's :class:`KeyMap` (``utils/key_maps/{network}.py``) holds rules
``(pattern, replacement)``: a regular expression that must match a whole
official key, and what it becomes, or ``None`` for a tensor that is left out on
purpose. The first rule that matches decides; a key that no rule matches stops
the conversion. The converter and the tests use the same map.
"""
import os
import os.path as osp
import re
from collections import OrderedDict
from typing import (
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from torch import Tensor

from .safe_load import safe_torch_load

KeyRule = Tuple[str, Optional[str]]
_WRAPPERS = ('state_dict', 'model_state', 'model')


class KeyMap(NamedTuple):
    """How the official files of one network become checkpoints.

    Attributes:
        rules (Sequence[KeyRule] | Callable | dict): The rules; or what gives
            them for the official keys; or, where a file holds several
            networks, one of these for each that may be kept, the usual one
            first.
        load (Callable, optional): Reads a file to tensors by official name;
            None stands for :func:`load_official`.
        finish (Callable, optional): Last changes to the converted tensors,
            in place.
    """
    rules: Union[Sequence[KeyRule], Callable[[Dict[str, Tensor]],
                                             Sequence[KeyRule]], dict]
    load: Optional[Callable[[str], Dict[str, Tensor]]] = None
    finish: Optional[Callable[[Dict[str, Tensor]], None]] = None

    @property
    def parts(self) -> List[str]:
        """What of a file may be kept, the usual part first."""
        return list(self.rules) if isinstance(self.rules, dict) else []

    def convert(self,
                path: str,
                keep: Optional[str] = None) -> Tuple['Conversion', int]:
        """Read and convert an official file.

        Args:
            path (str): The file.
            keep (str, optional): One of ``parts``. Defaults to the first.

        Returns:
            tuple[Conversion, int]: The renamed tensors and what was left out
            on purpose, and how many tensors of the file were mapped.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it is not of this network.
        """
        official = (self.load or load_official)(path)
        rules = self.rules
        if self.parts:
            rules = rules[keep or self.parts[0]]
        if callable(rules):
            rules = rules(official)
        result = convert_state_dict(official, rules, path)
        mapped = len(result.state_dict)
        if self.finish is not None:
            self.finish(result.state_dict)
        return result, mapped


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
