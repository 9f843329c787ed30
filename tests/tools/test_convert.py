"""One converter for all networks, and the old names beside it."""
import pytest
import torch

from rtseg_plugin.utils.key_maps import key_maps
from tests.builders import CONFIGS, ROOT, run_tool

TOOLS = ROOT / 'tools' / 'model_converters'


def test_every_network_is_complete():
    """What a new one lacks is told here, see docs/add_a_network.md."""
    networks = sorted(path.parent.name
                      for path in CONFIGS.glob('*/README.md'))
    assert sorted(key_maps()) == networks
    zoo = (ROOT / 'README.md').read_text()
    for network in networks:
        assert (ROOT / f'tests/parity/test_{network}.py').is_file(), network
        assert f'configs/{network}/README.md' in zoo, network
    old = ['fanet', 'gain', 'lmanet', 'rtformer', 'sctnet']
    assert sorted(path.name for path in TOOLS.glob('*2mmseg.py')) == [
        f'{name}2mmseg.py' for name in old]


@pytest.mark.parametrize('network', key_maps())
def test_a_file_of_another_network_is_refused(network, tmp_path):
    torch.save(dict(other=torch.ones(1)), tmp_path / 'src.pth')
    args = [tmp_path / 'src.pth', tmp_path / 'dst.pth']
    commands = [('convert.py', network)]
    if (TOOLS / f'{network}2mmseg.py').exists():
        commands.append((f'{network}2mmseg.py', ))
    for script, *name in commands:
        result = run_tool(f'model_converters/{script}', *name, *args)
        assert result.returncode == 1
        assert result.stderr.startswith('error: ')
        assert 'src.pth' in result.stderr
    assert not (tmp_path / 'dst.pth').exists()


def test_both_names_write_the_same(tmp_path):
    torch.save({'resnet.conv1.weight': torch.ones(2)}, tmp_path / 'src.pth')
    for name, *script in (('one', 'convert.py', 'fanet'),
                          ('two', 'fanet2mmseg.py')):
        result = run_tool(f'model_converters/{script[0]}', *script[1:],
                          tmp_path / 'src.pth', tmp_path / f'{name}.pth')
        assert '1 tensors, 1 mapped, 0 left out' in result.stdout
        written = torch.load(tmp_path / f'{name}.pth')['state_dict']
        assert written['backbone.conv1.weight'].tolist() == [1, 1]
    result = run_tool('model_converters/convert.py', 'fanet',
                      tmp_path / 'src.pth', tmp_path / 'one.pth')
    assert 'one.pth exists; --force overwrites it' in result.stderr


def test_help_tells_what_a_file_holds():
    result = run_tool('model_converters/convert.py', '--help')
    assert 'xzz777/SCTNet' in result.stdout
    assert '{student,teacher,training}' in result.stdout
    result = run_tool('model_converters/rtformer2mmseg.py', '--help')
    assert 'pdparams' in result.stdout
    assert '--keep' not in result.stdout
    result = run_tool('model_converters/convert.py', 'gain', 'a', 'b',
                      '--keep', 'teacher')
    assert result.returncode == 2
    assert 'files of gain hold one network' in result.stderr
