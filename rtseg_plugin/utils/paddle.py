"""Reading Paddle's ``.pdparams`` files without Paddle and without risk.

Such a file is one pickle of a flat dict of numpy arrays. Paddle itself loads
it with a plain unpickler, which runs whatever a file asks for; here it is not
unpickled at all: :class:`~rtseg_plugin.utils.pickle_walk.PickleWalk` tells
what it describes, and the arrays are made from that.
"""
import os
import os.path as osp
from collections import OrderedDict
from typing import Any, Dict

import numpy as np
import torch
from torch import Tensor

from .checkpoint_rules import ARRAY_RULES, to_array
from .pickle_walk import Pairs, PickleWalk, UnsafeCheckpointError
from .safe_load import mapped, memory_budget

_NAME_TABLE = 'StructuredToParameterName@@'
_SLICE_TABLE = 'UnpackBigParamInfor@@'
# uint16 is how Paddle stores bfloat16, and no parameter is complex or text
_DTYPES = ('float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64',
           'uint8', 'bool')


def _plain(value: Any, done: Dict[int, Any]) -> Any:
    """Arrays and dicts for their descriptions, each made once."""
    if id(value) not in done:
        if isinstance(value, Pairs):
            done[id(value)] = entries = {}
            for key, entry in value:
                entries[key] = _plain(entry, done)
        else:
            array = to_array(value)
            # a copy: that array is read-only, a tensor may not be
            done[id(value)] = value if array is None else array.copy()
    return done[id(value)]


def _join_slices(state_dict: Dict[str, Any], path: str) -> None:
    """Put arrays together that protocols 2 and 3 cut into flat pieces."""
    for name, info in state_dict.pop(_SLICE_TABLE, {}).items():
        try:
            pieces = [state_dict.pop(key) for key in info['slices']]
            state_dict[name] = np.concatenate(
                [piece.reshape(-1)
                 for piece in pieces]).reshape(info['OriginShape'])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f'{path}: the pieces of {name!r} do not fit '
                             f'together: {error}') from error


def load_paddle(path: str) -> Dict[str, Tensor]:
    """Read a state dict that ``paddle.save`` wrote.

    Args:
        path (str): A ``.pdparams`` file.

    Returns:
        dict[str, Tensor]: Tensors on the CPU by Paddle's structured name, in
        the order of the file; the table of internal names is left out.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafeCheckpointError: If the file names anything but what numpy
            arrays need, be it code or just Paddle's nested checkpoints.
            Nothing of it has run then.
        ValueError: If it holds no flat dict of numeric arrays.
        RuntimeError: If it is cut off, damaged or no pickle.
    """
    path = osp.expanduser(os.fspath(path))
    if not osp.isfile(path):
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    try:
        with mapped(path) as content:
            walk = PickleWalk(ARRAY_RULES, memory_budget(len(content)))
            loaded = _plain(walk.follow(content)[0], {})
    except UnsafeCheckpointError as error:
        raise UnsafeCheckpointError(
            f'{path}: {error}. Only a flat state dict (model.pdparams) is '
            'read, no training state and no static graph') from None
    except Exception as error:  # a damaged pickle can raise anything
        raise RuntimeError(
            f'checkpoint {path} ({osp.getsize(path)} bytes) cannot be read; '
            'it is cut off, damaged or no .pdparams file: '
            f'{type(error).__name__}: {error}') from error
    if not isinstance(loaded, dict):
        raise ValueError(f'{path} holds no state dict but '
                         f'{type(loaded).__name__}')
    loaded.pop(_NAME_TABLE, None)
    _join_slices(loaded, path)
    if not loaded:
        raise ValueError(f'{path} holds an empty state dict')
    tensors = OrderedDict()
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, np.ndarray):
            raise ValueError(
                f'{path} holds no flat state dict: {name!r} is '
                f'{type(value).__name__}, not an array')
        if value.dtype.name not in _DTYPES:
            raise ValueError(f'{path}: {name!r} has the type {value.dtype}, '
                             f'known are {", ".join(_DTYPES)}')
        tensors[name] = torch.from_numpy(value)
    return tensors
