"""Reading .pdparams without Paddle, and refusing what carries code."""
import pickle
import pickletools
from collections import OrderedDict

import numpy as np
import pytest
import torch

from rtseg_plugin.utils.paddle import load_paddle
from rtseg_plugin.utils.safe_load import UnsafeCheckpointError
from tests.builders import run_tool
from tests.parity import cases, recipe

# a genuine file of paddle.save, see tiny.json beside it
TINY = cases.ROOT / 'rtformer' / 'tiny.pdparams'
RAN = []


class Code:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def dump(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def arrays():
    return {'conv.weight': np.arange(6, dtype=np.float32).reshape(2, 3),
            'bn._mean': np.ones(3, np.float16)}


def test_genuine_file():
    case = cases.load('rtformer', 'tiny')
    loaded = load_paddle(str(TINY))
    assert list(loaded) == [name for name, _ in case['state']]
    for name, shape in case['state']:
        # the file holds the recipe's values bit for bit
        np.testing.assert_array_equal(loaded[name].numpy(),
                                      recipe.fill(name, shape))


@pytest.mark.parametrize('protocol', [2, 3, 4])
@pytest.mark.parametrize('spelling', [b'numpy.core', b'numpy._core'])
def test_protocols_and_spellings(tmp_path, protocol, spelling):
    path = dump(tmp_path / 'm.pdparams', arrays(), protocol)
    content = path.read_bytes()
    other = {b'numpy.core', b'numpy._core'} - {spelling}
    for old in other:
        # the module's name is a line up to protocol 3, then a short string
        # with its length in one byte
        was, now = old + b'.multiarray', spelling + b'.multiarray'
        content = content.replace(bytes([len(was)]) + was,
                                  bytes([len(now)]) + now)
        content = content.replace(b'c' + was + b'\n', b'c' + now + b'\n')
    if protocol == 4:
        # one frame, whose length changes with the name
        assert content[2:3] == pickle.FRAME
        length = (len(content) - 11).to_bytes(8, 'little')
        content = content[:3] + length + content[11:]
    path.write_bytes(content)
    names = [str(arg) for _, arg, _ in pickletools.genops(content)]
    assert any(spelling.decode() + '.multiarray' in name for name in names)
    loaded = load_paddle(path)
    for name, value in arrays().items():
        np.testing.assert_array_equal(loaded[name].numpy(), value)
        assert loaded[name].numpy().dtype == value.dtype


def test_name_table_is_dropped(tmp_path):
    content = arrays()
    content['StructuredToParameterName@@'] = {'conv.weight': 'conv2d_0.w_0'}
    loaded = load_paddle(dump(tmp_path / 'm.pdparams', content))
    assert list(loaded) == list(arrays())


def test_pieces_are_joined(tmp_path):
    weight = np.arange(10, dtype=np.float32)
    content = {
        'w@@.0': weight[:6],
        'w@@.1': weight[6:],
        'UnpackBigParamInfor@@': {
            'w': dict(OriginShape=[2, 5], slices=['w@@.0', 'w@@.1'])
        }
    }
    loaded = load_paddle(dump(tmp_path / 'm.pdparams', content, 2))
    assert list(loaded) == ['w']
    np.testing.assert_array_equal(loaded['w'].numpy(), weight.reshape(2, 5))
    del content['w@@.1']
    with pytest.raises(ValueError, match="pieces of 'w'"):
        load_paddle(dump(tmp_path / 'm.pdparams', content, 2))


@pytest.mark.parametrize('protocol', [2, 4])
@pytest.mark.parametrize('function, args', [
    (eval, ('RAN.append(1)', )),
    (RAN.append, (1, )),
    (exec, ('import os', )),
    (np.load, ('x', )),
])
def test_code_does_not_run(tmp_path, protocol, function, args):
    content = dict(arrays(), evil=Code(function, *args))
    path = dump(tmp_path / 'm.pdparams', content, protocol)
    with pytest.raises(UnsafeCheckpointError, match='m.pdparams'):
        load_paddle(path)
    result = run_tool('model_converters/rtformer2mmseg.py', path,
                      tmp_path / 'out.pth')
    assert result.returncode == 1
    assert 'may carry code' in result.stderr
    assert not RAN
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('content, error, message', [
    ({'model': arrays(), 'epoch': 3}, ValueError, 'no flat state dict'),
    ([1, 2], ValueError, 'list'),
    ({}, ValueError, 'empty'),
    ({'w': np.array([1, 'a'], object)}, UnsafeCheckpointError,
     'plain numbers'),
    ({'w': np.ones(2, np.uint16)}, ValueError, 'uint16'),
    ({3: np.ones(2)}, ValueError, 'no flat state dict'),
    (OrderedDict(arrays()), UnsafeCheckpointError, 'OrderedDict'),
    ({'w': torch.ones(2)}, UnsafeCheckpointError, 'torch'),
])
def test_other_objects(tmp_path, content, error, message):
    with pytest.raises(error, match=message):
        load_paddle(dump(tmp_path / 'm.pdparams', content))


def test_broken_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pdparams'):
        load_paddle(tmp_path / 'none.pdparams')
    for content in (b'', b'PK\x03\x04 not a pickle', TINY.read_bytes()[:900]):
        path = tmp_path / 'broken.pdparams'
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match='cut off, damaged'):
            load_paddle(path)


def test_converter_refuses_another_network(tmp_path):
    """The genuine file is one attention, not a network."""
    result = run_tool('model_converters/rtformer2mmseg.py', TINY,
                      tmp_path / 'out.pth')
    assert result.returncode == 1
    assert '6 of 6 tensors cannot be placed' in result.stderr
