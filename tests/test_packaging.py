"""What a wheel holds, and what make asks of Python."""
import email
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rtseg_plugin.compat import SUPPORTED
from tests.builders import ROOT

SOURCES = ('rtseg_plugin', 'configs', 'tools', 'tests', 'requirements',
           'setup.py', 'pyproject.toml', 'MANIFEST.in', 'model-index.yml',
           'README.md', 'LICENSE')


@pytest.fixture(scope='session')
def wheel_file(tmp_path_factory):
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
    return path


@pytest.fixture(scope='session')
def wheel(wheel_file):
    """Its files and what they hold."""
    with zipfile.ZipFile(wheel_file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def needed(requirements, extras=('', )):
    """Installed distributions that these requirements stand for, and theirs.
    """
    found, todo = {}, [(text, extra) for text in requirements
                       for extra in extras]
    while todo:
        text, extra = todo.pop()
        line = Requirement(text)
        if line.marker and not line.marker.evaluate(dict(extra=extra)):
            continue
        name = canonicalize_name(line.name)
        for own in ('', *line.extras):
            if (name, own) not in found:
                found[name, own] = metadata.distribution(name)
                todo += [(text, own) for text in found[name, own].requires
                         or ()]
    return {name: distribution for (name, _), distribution in found.items()}


@pytest.fixture(scope='session')
def lite(wheel_file, tmp_path_factory):
    """What ``pip install ".[lite]"`` makes, from what is installed here.

    A new environment with the wheel, and links to what it asks for and to
    what that asks for; nothing else of this environment is to be seen.
    """
    root = tmp_path_factory.mktemp('lite')
    venv.create(root, with_pip=False)
    python = root / 'bin' / 'python'
    site, = root.glob('lib/python*/site-packages')
    with zipfile.ZipFile(wheel_file) as archive:
        archive.extractall(site)
    own, = metadata.distributions(path=[str(site)])
    distributions = needed(own.requires, ('', 'lite'))
    assert 'mmcv-lite' in distributions
    assert not {'onnx', 'openmim', 'pytest', 'seaborn'} & set(distributions)
    for distribution in distributions.values():
        for path in distribution.files:
            top = path.parts[0]
            if top not in ('..', '__pycache__') and not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
    return python, site / 'rtseg_plugin' / '.mim' / 'tools'


def outside(lite, tmp_path, *args):
    """Run that environment's Python where nothing of the checkout is."""
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    return subprocess.run([str(lite[0]), '-W', 'ignore', *map(str, args)],
                          cwd=tmp_path, env=env, capture_output=True,
                          text=True)


SCRIPTS = sorted(
    path.relative_to(ROOT / 'tools').as_posix()
    for path in (ROOT / 'tools').rglob('*.py')
    if "if __name__ == '__main__'" in path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize('script', SCRIPTS)
def test_every_tool_starts_in_a_plain_environment(script, lite, tmp_path):
    """As ``mim run`` starts it, without any extra but mmcv-lite."""
    result = outside(lite, tmp_path, lite[1] / script, '--help')
    if result.returncode == 1:  # one line that names the extra
        assert re.fullmatch(
            r"error: .*needs .*pip install '[^']+'[^\n]*\n", result.stderr)
        return
    assert result.returncode == 0, result.stderr
    assert 'usage:' in result.stdout


@pytest.mark.slow
def test_the_package_in_a_plain_environment(lite, tmp_path):
    """Its recipes are found by name and by scope, and what it is."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'rtseg_plugin::sctnet/"
        "sctnet-s_1xb4-demo_synthetic-street-256x512.py'\n")
    result = outside(
        lite, tmp_path, '-c', """
import rtseg_plugin
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
cfg = Config.fromfile('mine.py')
init_default_scope(cfg.default_scope)
print(type(MODELS.build(cfg.model)).__name__, rtseg_plugin.__file__)
""")
    assert result.returncode == 0, result.stderr
    assert 'DistilledEncoderDecoder' in result.stdout
    assert str(lite[1].parents[1]) in result.stdout


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
        'lite', 'full', 'pretrain', 'optional', 'onnx', 'openvino', 'tensorrt',
        'ray', 'web', 'docs', 'tests'}
    requires = metadata.get_all('Requires-Dist')
    for extra, name in (('lite', 'mmcv-lite'), ('full', 'mmcv'),
                        ('pretrain', 'mmpretrain'), ('onnx', 'onnx'),
                        ('openvino', 'nncf'),
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
