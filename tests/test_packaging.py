"""What a wheel holds, and what make asks of Python."""
import email
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from rtseg_plugin.compat import SUPPORTED
from tests.builders import ROOT

SOURCES = ('rtseg_plugin', 'configs', 'tools', 'tests', 'requirements',
           'setup.py', 'pyproject.toml', 'MANIFEST.in', 'model-index.yml',
           'README.md', 'LICENSE')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel of a copy, so that the checkout stays as it is."""
    root = tmp_path_factory.mktemp('packaging')
    source, out = root / 'source', root / 'wheels'
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name,
                source / name,
                ignore=shutil.ignore_patterns('__pycache__', '.mim'))
        else:
            shutil.copy2(ROOT / name, source / name)
    result = subprocess.run(
        [
            sys.executable, '-m', 'pip', 'wheel', str(source), '--no-deps',
            '--no-build-isolation', '--no-index', '-w', str(out)
        ],
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    path, = out.glob('rtseg_plugin-*.whl')
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def on_disk(folder):
    return {
        p.relative_to(ROOT).as_posix(): p.read_bytes()
        for p in (ROOT / folder).rglob('*')
        if p.is_file() and '__pycache__' not in p.parts
        and '.mim' not in p.parts
    }


@pytest.mark.slow
def test_wheel_holds_what_openmim_needs(wheel):
    want = {**on_disk('configs'), **on_disk('tools')}
    want['model-index.yml'] = (ROOT / 'model-index.yml').read_bytes()
    prefix = 'rtseg_plugin/.mim/'
    got = {
        name[len(prefix):]: data
        for name, data in wheel.items() if name.startswith(prefix)
    }
    assert sorted(got) == sorted(want)
    assert got == want


@pytest.mark.slow
def test_wheel_holds_the_package_and_no_tests(wheel):
    modules = on_disk('rtseg_plugin')
    assert len(modules) > 50
    rest = {
        name
        for name in wheel
        if not name.startswith(('rtseg_plugin/.mim/', 'rtseg_plugin-'))
    }
    assert rest == set(modules)
    top_level, = (
        data for name, data in wheel.items() if name.endswith('top_level.txt'))
    assert top_level.decode().split() == ['rtseg_plugin']


@pytest.mark.slow
def test_metadata_of_the_wheel(wheel):
    text, = (
        data for name, data in wheel.items() if name.endswith('/METADATA'))
    metadata = email.message_from_bytes(text)
    assert set(metadata.get_all('Provides-Extra')) == {
        'lite', 'full', 'pretrain', 'optional', 'tests'}
    requires = metadata.get_all('Requires-Dist')
    for extra, name in (('lite', 'mmcv-lite'), ('full', 'mmcv'),
                        ('pretrain', 'mmpretrain'), ('optional', 'onnx'),
                        ('optional', 'seaborn'), ('tests', 'pytest')):
        assert any(
            re.fullmatch(rf'{name}\b[^-]*; extra == ["\']{extra}["\']', line)
            for line in requires), (extra, name)
    for name in ('torch', 'mmengine', 'mmsegmentation'):
        lowest, too_high = SUPPORTED[name]
        ranges = [set(line[len(name):].split(',')) for line in requires
                  if re.match(rf'{name}[<>]', line)]
        assert ranges == [{f'>={lowest}', f'<{too_high}'}]


@pytest.mark.skipif(shutil.which('make') is None, reason='no make')
@pytest.mark.parametrize('version, accepted', [('3, 10', False),
                                               ('3, 11', True)])
def test_make_asks_for_a_python_that_the_pins_support(tmp_path, version,
                                                      accepted):
    """A Python that tells another version of itself and makes no venv."""
    python = tmp_path / 'python'
    python.write_text(f"""#!/bin/sh
test "$1" = -c || exit 7
exec {sys.executable} -c "import sys; sys.version_info = ({version}); $2"
""")
    python.chmod(0o755)
    result = subprocess.run(
        ['make', 'setup', f'PYTHON={python}', f'VENV={tmp_path / "venv"}'],
        cwd=ROOT,
        capture_output=True,
        text=True)
    assert result.returncode != 0
    assert ('is no Python 3.11 or later' in result.stderr) is not accepted
    assert ('== making' in result.stdout) is accepted
