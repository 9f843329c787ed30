import argparse
import collections
import datetime
import os
import pathlib
import pickle
import shutil
import sys
import threading
import types
import zipfile
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner.checkpoint import CheckpointLoader

from rtseg_plugin.utils import safe_load
from rtseg_plugin.utils.safe_load import (
    SAFE_LOADERS,
    UnsafeCheckpointError,
    safe_torch_load,
)


def checkpoint():
    """What mmengine saves, and a few types more."""
    hub = MessageHub.get_instance('test_safe_load')
    hub.update_scalar('train/loss', 0.5)
    hub.update_scalar('train/loss', np.float32(0.25).item())
    parameter = torch.nn.Parameter(torch.randn(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    return dict(
        meta=dict(iter=4, seed=None, dataset_meta=dict(classes=('a', ))),
        state_dict={
            'w': torch.randn(2, 3),
            'half': torch.randn(4).half(),
            'brain': torch.randn(4).bfloat16(),
            'count': torch.tensor(3),
            'flag': torch.tensor([True, False]),
            'parameter': parameter,
        },
        optimizer=optimizer.state_dict(),
        message_hub=hub.state_dict(),
        arrays=[np.arange(3), np.float64(2.5), np.array('text')],
        shape=torch.Size([1, 2]),
        kinds={1, 2},
        dtype=torch.float16)


@pytest.mark.parametrize('legacy', [False, True])
def test_checkpoint_of_mmengine(tmp_path, legacy):
    path = str(tmp_path / 'c.pth')
    want = checkpoint()
    torch.save(want, path, _use_new_zipfile_serialization=not legacy)
    loaded = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    for key, value in want['state_dict'].items():
        assert torch.equal(loaded['state_dict'][key], value)
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.mean() == pytest.approx(0.375)
    assert loaded['dtype'] is torch.float16
    np.testing.assert_array_equal(loaded['arrays'][0], np.arange(3))


PLAIN = [  # what is saved, and what is read where that is another type
    argparse.Namespace(a=1, b=[2]),
    pathlib.PurePosixPath('/a/b'),
    pathlib.PureWindowsPath('c:/a'),
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc),
    datetime.date(2024, 2, 29),
    datetime.time(23, 59, 1, 999999),
    datetime.timedelta(1, 2, 3),
    frozenset({1, 'a'}),
    collections.Counter('abb'),
    (collections.defaultdict(list, a=[1]), {'a': [1]}),
    (collections.deque([1, 2], 3), [1, 2]),
    (ConfigDict(a=dict(b=[dict(c=1)])), {'a': {'b': [{'c': 1}]}}),
    (Config(dict(a=dict(b=1))), {'a': {'b': 1}}),
    bytearray(b'ab\xff'), bytearray(), b'ab\xff', b'', 1 + 2j,
    slice(1, None, 2), 2**70, np.float64(2.5), np.bool_(True), np.float32,
    {(1, 2): 3}, torch.Size([1, 2]), torch.device('cuda', 1), torch.float16,
]  # yapf: disable


# a set's repr differs between processes
@pytest.mark.parametrize(
    'saved', PLAIN, ids=lambda saved: type(saved).__name__)
@pytest.mark.parametrize('legacy', [False, True])
def test_plain_data(tmp_path, saved, legacy):
    saved, want = saved if type(saved) is tuple else (saved, saved)
    path = tmp_path / 'c.pth'
    torch.save(
        dict(meta=saved), path, _use_new_zipfile_serialization=not legacy)
    loaded = safe_torch_load(path)['meta']
    assert loaded == want
    if want is not saved:
        assert isinstance(loaded, type(want))
        torch.save(loaded, path)  # what was loaded can be saved again
        assert safe_torch_load(path) == want


@pytest.mark.parametrize('array', [
    np.arange(0.), np.arange(6, dtype='>i4').reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype='f2').reshape(2, 3)),
    np.array(['text', 'ü']), np.array([b'ab']), np.array([True]),
    np.ones((1, 2), 'c8')
], ids=lambda a: a.dtype.str)
def test_arrays(tmp_path, array):
    torch.save(array, tmp_path / 'c.pth')
    loaded = safe_torch_load(tmp_path / 'c.pth')
    np.testing.assert_array_equal(loaded, array)
    assert type(loaded) is np.ndarray
    assert loaded.dtype.kind == array.dtype.kind


@pytest.mark.parametrize('tensor', [
    torch.ones(2).to(torch.float8_e4m3fn), torch.ones(3, dtype=torch.uint16),
    torch.tensor([1 + 2j]).conj(), torch.arange(10.)[2:8:3],
    torch.zeros(1).expand(7), torch.zeros(0, 3)
], ids=lambda t: f'{t.dtype}-{t.stride()}')
def test_tensors(tmp_path, tensor):
    torch.save(tensor, tmp_path / 'c.pth')
    loaded = safe_torch_load(tmp_path / 'c.pth')
    assert loaded.dtype == tensor.dtype
    assert loaded.stride() == tensor.stride()
    assert loaded.tolist() == tensor.tolist()


@pytest.mark.filterwarnings('ignore:.*quantized tensor creation')
@pytest.mark.parametrize('make, advice', [
    (torch.nn.ReLU, r'torch.save\(model.state_dict\(\), PATH\)'),
    (lambda: torch.ones(2, 2).to_sparse(), r'tensor.to_dense\(\)'),
    (lambda: torch.quantize_per_tensor(torch.ones(2), .1, 0, torch.qint8),
     r'tensor.dequantize\(\)'),
    (lambda: torch.ones(2, device='meta'), 'meta device'),
    (lambda: np.array([1, 'a'], object), 'neither of plain numbers'),
], ids=['module', 'sparse', 'quantised', 'meta', 'objects'])
def test_what_is_no_plain_data_says_what_to_do(tmp_path, make, advice):
    torch.save(dict(x=make()), tmp_path / 'c.pth')
    with pytest.raises(UnsafeCheckpointError, match=advice):
        safe_torch_load(tmp_path / 'c.pth')


def test_a_flipped_bit_of_a_tensor_is_found(tmp_path):
    path = tmp_path / 'c.pth'
    torch.save(dict(a=torch.ones(1000), b=torch.ones(1000)), path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo('c/data/1').header_offset
    content[offset + 2000] ^= 64
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"c\.pth.*'c/data/1' has another"):
        safe_torch_load(path)


def test_safe_globals_of_others_stay(tmp_path):
    """Only what was added for a load is taken away after it."""
    before = set(torch.serialization.get_safe_globals())
    torch.save(dict(a=HistoryBuffer()), tmp_path / 'c.pth')
    with torch.serialization.safe_globals([HistoryBuffer]):
        safe_torch_load(tmp_path / 'c.pth')
        assert HistoryBuffer in torch.serialization.get_safe_globals()
    assert set(torch.serialization.get_safe_globals()) == before


class Call:
    """Pickles into a call of any function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize('payload', [
    Call(os.system, 'true'),
    Call(eval, '1 + 1'),
    Call(getattr, HistoryBuffer, 'from_dict'),
    Call(getattr, int, 'from_bytes'),
    Call(getattr, HistoryBuffer, '__init__'),
    Call(torch.load, 'x'),
    Call(pickle.loads, b''),
    Call(np.load, 'x'),
    Call(__import__, 'os'),
], ids=lambda c: f'{getattr(c.function, "__name__", c)}-{c.args[-1]}')
@pytest.mark.parametrize('legacy', [False, True])
def test_calls_are_refused(tmp_path, payload, legacy):
    path = str(tmp_path / 'c.pth')
    try:
        torch.save(
            dict(x=payload),
            path,
            _use_new_zipfile_serialization=not legacy)
    except AttributeError:
        pytest.fail('the payload itself is wrong')
    with pytest.raises((UnsafeCheckpointError, RuntimeError),
                       match='may carry code|four methods'):
        safe_torch_load(path)


def test_torchscript_archive_is_refused(tmp_path):
    path = str(tmp_path / 'c.pt')
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), path)
    with pytest.raises(UnsafeCheckpointError, match='TorchScript'):
        safe_torch_load(path)


def test_every_scheme_of_the_runner():
    """All of mmengine's loaders are replaced."""
    assert CheckpointLoader._schemes == SAFE_LOADERS


@pytest.mark.parametrize('source', [
    's3://bucket/net.pth', 'cluster:petrel://bucket/net.pth', 'pavi://a/net'])
def test_services(tmp_path, monkeypatch, source):
    """Stand-ins for two services that are reached from within some firms."""
    path = tmp_path / 'net.pth'

    class Service:
        name = 'net.pth'

        def __init__(self, *args, **kwargs):
            pass

        def get(self, name):
            return self if source.startswith('pavi') else path.read_bytes()

        def download(self, target):
            shutil.copy(path, target)

    monkeypatch.setitem(
        sys.modules, 'pavi', types.SimpleNamespace(modelcloud=Service()))
    monkeypatch.setattr(safe_load, 'get_file_backend', Service)
    load = CheckpointLoader.load_checkpoint
    torch.save(dict(a=torch.ones(2)), path)
    assert torch.equal(load(source, 'cpu')['a'], torch.ones(2))
    torch.save(dict(a=Call(os.system, 'true')), path)
    with pytest.raises(UnsafeCheckpointError, match=r'net\.pth'):
        load(source, 'cpu')


def test_urls_are_read_from_the_cache_safely(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    torch.save(dict(a=torch.ones(2)), tmp_path / 'checkpoints' / 'good.pth')
    torch.save(
        dict(a=Call(os.system, 'true')),
        tmp_path / 'checkpoints' / 'bad.pth')
    load = CheckpointLoader.load_checkpoint
    assert torch.equal(
        load('https://example.org/good.pth')['a'], torch.ones(2))
    with pytest.raises(UnsafeCheckpointError):
        load('https://example.org/bad.pth')


@pytest.fixture
def server(tmp_path):
    """A folder behind HTTP, and the requests that came."""
    folder, requests = tmp_path / 'served', []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):

        def log_message(self, *args):
            requests.append(self.path)

    with ThreadingHTTPServer(('127.0.0.1', 0),
                             partial(Handler, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f'http://127.0.0.1:{http.server_port}', folder, requests
        http.shutdown()


def test_each_machine_downloads_once(tmp_path, monkeypatch, server):
    """On the second of two machines the first process has rank 8, say."""
    url, folder, requests = server
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setenv('RANK', '8')
    monkeypatch.setattr('mmengine.dist.utils.get_rank', lambda *_: 8)
    torch.save(dict(a=torch.ones(2)), folder / 'net.pth')
    for _ in range(2):
        loaded = CheckpointLoader.load_checkpoint(f'{url}/net.pth')
        assert torch.equal(loaded['a'], torch.ones(2))
    assert requests == ['/net.pth']
    assert os.listdir(tmp_path / 'hub' / 'checkpoints') == ['net.pth']


def test_the_hash_in_a_name_is_checked(tmp_path, monkeypatch, server):
    url, folder, _ = server
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    torch.save(dict(a=torch.ones(2)), folder / 'net.pth')
    digest = sha256((folder / 'net.pth').read_bytes()).hexdigest()[:8]
    for name, right in ((f'net-{digest}.pth', True), ('net-00000000.pth',
                                                      False)):
        (folder / 'net.pth').rename(folder / name)
        if right:
            CheckpointLoader.load_checkpoint(f'{url}/{name}')
        else:
            with pytest.raises(RuntimeError, match='invalid hash value'):
                CheckpointLoader.load_checkpoint(f'{url}/{name}')
        (folder / name).rename(folder / 'net.pth')
    assert os.listdir(tmp_path / 'hub' / 'checkpoints') == [
        f'net-{digest}.pth'
    ]
