"""Files that were made to run code, bend the process or fill the memory."""
import pickle
import zipfile

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from rtseg_plugin.utils.key_maps import key_maps
from rtseg_plugin.utils.pickle_walk import PickleWalk
from tests.utils.forge import Program, archive, legacy, read_in_a_child

NUMPY = 'numpy.core.multiarray'
HISTORY = 'mmengine.logging.history_buffer', 'HistoryBuffer'


def forged_dtype(kind, state):
    """A dtype that has another's state, and an array of it over 8 bytes."""
    program = Program().name(NUMPY, '_reconstruct').raw(pickle.MARK)
    program.name('numpy', 'ndarray').put((0, ))
    program.text_bytes('b').raw(pickle.TUPLE, pickle.REDUCE, pickle.MARK)
    program.put(1, ()).call('numpy', 'dtype', kind, False, True)
    program.raw(state, pickle.BUILD).put(False)
    program.text_bytes('\x10' * 8)
    return program.raw(pickle.TUPLE, pickle.BUILD).end()


def object_state():
    """(3, '|', (dtype('O'), ()), None, None, 8, 1, 0)"""
    inner = Program().call('numpy', 'dtype', 'O8', False, True)
    return (pickle.MARK + Program().put(3, '|').code[2:] + inner.code[2:] +
            pickle.EMPTY_TUPLE + pickle.TUPLE2 +
            Program().put(None, None, 8, 1, 0).code[2:] + pickle.TUPLE)


def state(*values):
    return Program().put(values).code[2:]


def tensor(size, stride, numel, key='0'):
    """A float tensor over a storage of ``numel``."""
    program = Program().name('torch._utils', '_rebuild_tensor_v2')
    program.raw(pickle.MARK, pickle.MARK).put('storage')
    program.name('torch', 'FloatStorage').put(key, 'cpu', numel)
    program.raw(pickle.TUPLE, pickle.BINPERSID)
    program.put(0, size, stride, False)
    program.call('collections', 'OrderedDict')
    return program.raw(pickle.TUPLE, pickle.REDUCE).end()


def hash_bomb():
    """A key of 2**60 elements, for a tuple knows no hash of its own."""
    program = Program().raw(pickle.EMPTY_DICT).put(0)
    for i in range(60):
        program.raw(pickle.BINPUT, bytes([i]), pickle.BINGET, bytes([i]),
                    pickle.TUPLE2)
    return program.put(1).raw(pickle.SETITEM).end()


def many_copies():
    """One text of a MiB, made into bytes 4,000 times."""
    program = Program().raw(pickle.EMPTY_LIST, pickle.MARK)
    program.name('_codecs', 'encode').raw(pickle.BINPUT, b'\0')
    program.put('latin1').raw(pickle.BINPUT, b'\1')
    program.put('x' * 2**20).raw(pickle.BINPUT, b'\2')
    program.raw((pickle.BINGET + b'\0' + pickle.BINGET + b'\2' +
                 pickle.BINGET + b'\1' + pickle.TUPLE2 + pickle.REDUCE) * 4000)
    return program.raw(pickle.APPENDS).end()


def history_buffer(name, method, **more):
    """A HistoryBuffer whose table has a foreign method."""
    program = Program().name(*HISTORY).raw(pickle.EMPTY_TUPLE, pickle.NEWOBJ)
    program.raw(pickle.EMPTY_DICT, pickle.MARK)
    program.put('max_length', 10, '_log_history', [], '_count_history', [])
    for key, value in more.items():
        program.put(key, value)
    program.put('statistics_methods').raw(pickle.EMPTY_DICT).put(name)
    program.raw(method).raw(pickle.SETITEM, pickle.SETITEMS, pickle.BUILD)
    return program.end()


def getattr_(name):
    return Program().name('builtins', 'getattr').name(
        *HISTORY).put(name).raw(pickle.TUPLE2, pickle.REDUCE).code[2:]


def bent(module, name, **attributes):
    """Attributes of a global, set as the state of its slots."""
    return Program().name(module, name).build((None, attributes)).end()


PICKLES = {
    'object-dtype': forged_dtype('V8', object_state()),
    'object-as-number': forged_dtype('f8', object_state()),
    'longer-number': forged_dtype(
        'f8', state(3, '<', None, None, None, 800, 1, 0)),
    'plain-object': forged_dtype('O8', state(3, '|', None, None, None, -1, -1,
                                             63)),
    'short-array': forged_dtype(
        'c16', state(3, '<', None, None, None, -1, -1, 0)),
    'numpys-own-dtype': Program().call('numpy', 'dtype', 'f8').build(
        (3, '>', None, None, None, -1, -1, 0)).end(),
    'negative-shape': Program().call(
        'torch', 'Size', (-1, 2)).end(),
    'defaults': bent('torch._utils', '_rebuild_tensor_v2',
                     __defaults__=(1, 2)),
    'attribute': Program().name('torch._utils', '_rebuild_tensor_v2').build(
        {'x': 1}).end(),
    'storage-length': bent('torch.storage', 'UntypedStorage', __len__=None),
    'history-class': bent(*HISTORY, mean=None),
    'history-table': history_buffer(
        'mean', Program().name('torch', 'device').code[2:]),
    'history-swapped': history_buffer('mean', getattr_('max')),
    'history-attribute': history_buffer('mean', getattr_('mean'), mean=1),
    'history-getattr': Program().raw(getattr_('from_dict')).end(),
    'ordered-dict': Program().call('collections', 'OrderedDict').build(
        {'items': 1}).end(),
    'tensor-set': Program().raw(tensor((2, ), (1, ), 2)[:-1]).build(
        ()).end(),
    'tensor-item': Program().raw(
        tensor((2, ), (1, ), 2)[:-1]).put(0, 1).raw(pickle.SETITEM).end(),
    'outside': tensor((3, ), (1, ), 2),
    'far-outside': tensor((2, ), (2**40, ), 2),
    'larger-storage': tensor((2000, ), (1, ), 2000),
    'hash-bomb': hash_bomb(),
    'expanded': tensor((2**29, ), (0, ), 2),
    'bytearray': Program().call('builtins', 'bytearray', 10**9).end(),
    'idna': Program().call('_codecs', 'encode', 'x' * 99, 'idna').end(),
    'copies': many_copies(),
    'lists': Program().raw(pickle.MARK, pickle.EMPTY_LIST * 4 * 10**5,
                           pickle.TUPLE).end(),
    'system': Program().call('os', 'system', 'true').end(),
    'no-end': Program().put(1).code,
    'open-mark': Program().raw(pickle.MARK).put(1).end(),
    'empty-stack': Program().raw(pickle.TUPLE2).end(),
}


@pytest.fixture(scope='module')
def outcome(tmp_path_factory):
    """What each door makes of each file, in one process of 2 GiB."""
    folder = tmp_path_factory.mktemp('hostile')
    for name, code in PICKLES.items():
        archive(folder / f'{name}.zip', code, {'0': bytes(8)})
        legacy(folder / f'{name}.legacy', code)
        (folder / f'{name}.pickle').write_bytes(code)
    rows = np.zeros(2**19, np.float32)
    archive(folder / 'compressed.zip', tensor((2**29, ), (1, ), 2**29),
            {'0': bytes(2**31)}, zipfile.ZIP_DEFLATED)
    archive(folder / 'case.zip', tensor((2, ), (1, ), 2, 'A'),
            {'a': rows.tobytes(), 'A': bytes(8)})
    return read_in_a_child(folder)


@pytest.mark.parametrize('reader', ['runner', *key_maps()])
@pytest.mark.parametrize('name', [*PICKLES, 'compressed', 'case'])
def test_hostile_files_are_refused_by_name(outcome, name, reader):
    """None ran, none was loaded, each error names the file."""
    found = {key: result for key, result in outcome.items()
             if key.startswith(f'{reader} {name}.')}
    assert found
    for key, result in found.items():
        kind, message = result.split(': ', 1)
        assert kind in ('UnsafeCheckpointError', 'RuntimeError') or (
            reader == 'rtformer' and 'no state dict but' in message), result
        assert key.split(' ')[1] in message


@pytest.mark.parametrize('door', ['runner', *key_maps()])
def test_every_door_looks_at_the_pickle_first(tmp_path, monkeypatch, door):
    """Behind the walk only, and with nothing else, is a file opened."""
    path = tmp_path / 'file.pth'
    if door == 'rtformer':
        path.write_bytes(pickle.dumps({'w': np.ones(2)}, 2))
    else:
        torch.save({'w': torch.ones(2)}, path)

    class Looked(Exception):
        pass

    def stop(*args, **kwargs):
        raise Looked

    def unpickle(*args, **kwargs):
        pytest.fail('unpickled before it was looked at')

    monkeypatch.setattr(PickleWalk, 'follow', stop)
    for module, name in ((torch, 'load'), (pickle, 'load'),
                         (pickle, 'loads'), (pickle, 'Unpickler'),
                         (np, 'load')):
        monkeypatch.setattr(module, name, unpickle)
    opened = (CheckpointLoader.load_checkpoint if door == 'runner' else
              key_maps()[door].KEY_MAP.convert)
    with pytest.raises(RuntimeError, match='Looked'):
        opened(str(path))


def test_honest_relatives_are_read(tmp_path):
    """The same instructions as numpy, torch and mmengine write them."""
    good = {
        'array': forged_dtype(
            'f8', state(3, '<', None, None, None, -1, -1, 0)),
        'tensor': tensor((2, ), (1, ), 2),
        'history': history_buffer('mean', getattr_('mean')),
    }
    for name, code in good.items():
        archive(tmp_path / name, code, {'0': bytes(8)})
    assert set(read_in_a_child(tmp_path, 'runner').values()) == {'ok'}
