"""Hostile checkpoints, and reading files where they can do no harm.

Run as a script it opens each file of a folder through every door, in a process
with little memory, and prints what came of it as JSON.
"""
import json
import pickle
import pickletools
import random
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEMORY = 2 * 2**30  # address space of the child; the package takes half of it


class Program:
    """A pickle put together instruction by instruction."""

    def __init__(self):
        self.code = pickle.PROTO + b'\x02'

    def name(self, module, name):
        self.code += pickle.GLOBAL + f'{module}\n{name}\n'.encode()
        return self

    def put(self, *values):
        """Plain values, as pickle itself would write them."""
        for value in values:
            code = pickle.dumps(value, protocol=2)[2:-1]
            assert not any(op.name == 'GLOBAL' or 'BINGET' in op.name
                           for op, _, _ in pickletools.genops(code + b'.'))
            # their memo is for themselves
            self.code += code
        return self

    def raw(self, *codes):
        self.code += b''.join(codes)
        return self

    def call(self, module, name, *values):
        return self.name(module, name).put(values).raw(pickle.REDUCE)

    def text_bytes(self, text):
        return self.call('_codecs', 'encode', text, 'latin1')

    def build(self, state):
        return self.put(state).raw(pickle.BUILD)

    def end(self):
        return self.code + pickle.STOP


def archive(path, data, records=None, compression=zipfile.ZIP_STORED):
    """A zip as torch.save lays it out, around any pickle."""
    with zipfile.ZipFile(path, 'w', compression, compresslevel=1) as out:
        out.writestr('archive/data.pkl', data)
        out.writestr('archive/byteorder', 'little')
        for name, content in (records or {}).items():
            out.writestr(f'archive/data/{name}', content)
        out.writestr('archive/version', '3\n')
    return path


def legacy(path, data):
    """A file as torch.save wrote it before torch 1.6, without tensors."""
    dump = pickle.dumps
    path.write_bytes(
        dump(0x1950a86a20f9469cfc6c, 2) + dump(1001, 2) +
        dump(dict(protocol_version=1001, little_endian=True), 2) + data +
        dump([], 2))
    return path


def read_in_a_child(folder, *readers, timeout=600):
    """Read all files of a folder, through all doors if none is named.

    Doors are the runner and the converters; the readers behind the latter are
    'converters' and 'paddle'.

    Returns:
        dict[str, str]: By 'reader file', 'ok' or the error; see
        :func:`damage` for the readers 'damage', NAME, FLIPS, SEED.
    """
    child = subprocess.run(
        [sys.executable, '-m', 'tests.utils.forge', str(folder), *readers],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    assert child.returncode == 0, (child.returncode, child.stderr[-2000:])
    return json.loads(child.stdout.splitlines()[-1])


def the_process():
    """What files have changed in a process, and must not."""
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer
    return [
        str(torch._utils._rebuild_tensor_v2.__defaults__),
        vars(torch._utils._rebuild_tensor_v2).keys(),
        str(torch.storage.UntypedStorage.__len__),
        str(HistoryBuffer.mean), str(HistoryBuffer._statistics_methods),
        np.dtype('f8').itemsize, np.dtype('f8').str, np.dtype('i4').str,
        np.dtype('V8').hasobject, np.dtype('f8').hasobject,
        sorted(map(str, torch.serialization.get_safe_globals())),
    ]  # yapf: disable


def digest(value):
    """Text that two values share if they are the same to the bit."""
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer
    if torch.is_tensor(value):
        raw = value.detach().contiguous().flatten().view(torch.uint8)
        return f'{value.dtype}{tuple(value.shape)}{raw.tolist()}'
    if isinstance(value, np.ndarray):
        return f'{value.dtype}{value.shape}{value.tobytes()}'
    if isinstance(value, HistoryBuffer):
        return digest(vars(value))
    if isinstance(value, dict):
        return str([(k, digest(v)) for k, v in value.items()])
    if isinstance(value, (list, tuple)):
        return str([digest(v) for v in value])
    return repr(value)


def damage(path, readers, name, flips, seed):
    """Read a file with single bits flipped, and cut at every KiB.

    Returns:
        dict[str, int]: How many were refused with an error that names the
        file, read as before, and read as something else.
    """
    content = Path(path).read_bytes()
    want = digest(readers[name](path))
    copy = Path(path).with_name(f'damaged-{name}{Path(path).suffix}')
    rng = random.Random(seed)
    cases = []
    for _ in range(flips):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        cases.append(flipped)
    cases += [content[:n] for n in range(0, len(content), 1024)]
    counts = dict(files=len(cases), refused=0, unnamed=0, same=0, other=0)
    for case in cases:
        copy.write_bytes(case)
        try:
            found = digest(readers[name](str(copy)))
            counts['same' if found == want else 'other'] += 1
        except (RuntimeError, pickle.UnpicklingError, ValueError) as error:
            counts['refused' if copy.name in str(error) else 'unnamed'] += 1
    return counts


def main(folder, *chosen):
    from mmengine.logging import HistoryBuffer
    from mmengine.runner.checkpoint import CheckpointLoader

    import rtseg_plugin  # noqa: F401
    from rtseg_plugin.utils.key_maps import key_maps
    from rtseg_plugin.utils.official_weights import load_official
    from rtseg_plugin.utils.paddle import load_paddle
    doors = dict(
        runner=lambda path: CheckpointLoader.load_checkpoint(
            path, map_location='cpu', logger='silent'),
        **{name: module.KEY_MAP.convert
           for name, module in key_maps().items()})
    readers = dict(doors, converters=load_official, paddle=load_paddle)
    HistoryBuffer()  # fills the class's table
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if chosen[:1] == ('damage', ):
        name, flips, seed = chosen[1:]
        before = the_process()
        print(json.dumps(damage(folder, readers, name, int(flips), seed)))
        assert the_process() == before
        return
    results = {}
    for path in sorted(Path(folder).iterdir()):
        for name in chosen or doors:
            before = the_process()
            try:
                readers[name](str(path))
                result = 'ok'
            except Exception as error:
                result = f'{type(error).__name__}: {error}'
            after = the_process()
            assert after == before, (name, path, before, after)
            results[f'{name} {path.name}'] = result
    print(json.dumps(results))


if __name__ == '__main__':
    main(*sys.argv[1:])
