"""Reading Paddle's ``.pdparams`` files without Paddle and without risk.

Such a file is one pickle of a flat dict of numpy arrays. Paddle itself loads
it with a plain unpickler, which runs whatever a file asks for; here only what
an array needs is resolved.
"""
import os
import os.path as osp
from collections import OrderedDict
from typing import Any, Dict

import numpy as np
import torch
from torch import Tensor

from .safe_load import NUMPY_GLOBALS, AllowListUnpickler, UnsafeCheckpointError

_NAME_TABLE = 'StructuredToParameterName@@'
_SLICE_TABLE = 'UnpackBigParamInfor@@'
# uint16 is how Paddle stores bfloat16, and no parameter is complex or text
_DTYPES = ('float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64',
           'uint8', 'bool')


class _PaddleUnpickler(AllowListUnpickler):
    """Resolves what a flat dict of arrays needs, nothing else."""

    allowed = NUMPY_GLOBALS


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
        with open(path, 'rb') as file:
            # latin1 as Paddle does, for files that Python 2 wrote
            loaded = _PaddleUnpickler(file, encoding='latin1').load()
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
        # a copy: unpickled arrays may be read-only, tensors may not
        tensors[name] = torch.from_numpy(np.array(value))
    return tensors
