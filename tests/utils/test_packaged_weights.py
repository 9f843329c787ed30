"""Trained networks of the package: found by name, whole, and trained."""
import hashlib
import re

import cv2
import pytest
import torch
from safetensors.torch import save_file

from rtseg_plugin.apis import Segmentor, load_segmentor
from rtseg_plugin.utils import packaged_weights
from rtseg_plugin.utils.host_tools import resolve_config
from rtseg_plugin.utils.packaged_weights import find, packaged_networks
from tests.builders import build_model, load_config, run_tool

NETWORKS = sorted(packaged_networks())
RECIPE = 'sctnet/sctnet-s-plain_1xb8-1k_synthetic-street-256x512.py'


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder of weights with one untrained network."""
    monkeypatch.setattr(packaged_weights, 'WEIGHTS', tmp_path)
    folder = tmp_path / 'toy-street'
    folder.mkdir()
    cfg = load_config(RECIPE)
    del cfg.model['auxiliary_head']
    cfg.dump(folder / 'config.py')
    torch.manual_seed(0)
    state = build_model(cfg).state_dict()
    halves = {k: v.half() if v.is_floating_point() else v
              for k, v in state.items()}
    save_file(halves, folder / 'model.safetensors')
    return halves


def test_a_name_stands_for_config_and_weights(toy, tmp_path, monkeypatch):
    # a folder of that name where one works must not be taken for it
    (tmp_path / 'work' / 'toy-street').mkdir(parents=True)
    monkeypatch.chdir(tmp_path / 'work')
    model = load_segmentor('toy-street')
    for key, value in model.state_dict().items():
        torch.testing.assert_close(
            value, toy[key].to(value.dtype), rtol=0, atol=0)
    assert model.backbone.stem[1][0].conv.weight.dtype == torch.float32
    assert not model.training
    assert resolve_config('toy-street') == str(
        tmp_path / 'toy-street' / 'config.py')


def test_options_leave_the_weights(toy):
    model = load_segmentor('toy-street', cfg_options={
        'model.decode_head.align_corners': True})
    assert model.align_corners
    for key, value in model.state_dict().items():
        assert torch.equal(value, toy[key].to(value.dtype))


def test_an_unknown_name_lists_those_there_are(toy):
    with pytest.raises(FileNotFoundError, match="mean 'toy-street'.*There"):
        find('toy-stret')


def test_an_address_for_load_from_and_init_cfg(toy):
    from mmengine.runner import CheckpointLoader
    loaded = CheckpointLoader.load_checkpoint(
        'rtseg_plugin://toy-street', 'cpu')['state_dict']
    assert set(loaded) == set(toy)
    cfg = load_config(RECIPE)
    cfg.model.backbone.init_cfg = dict(
        type='Pretrained', prefix='backbone.',
        checkpoint='rtseg_plugin://toy-street')
    model = build_model(cfg)
    model.init_weights()
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(value, loaded[f'backbone.{key}'])
    with pytest.raises(FileNotFoundError, match="mean 'toy-street'"):
        CheckpointLoader.load_checkpoint('rtseg_plugin://toy-stret')


def test_all_are_small_enough():
    total = sum(network.weights.stat().st_size
                for network in packaged_networks().values())
    assert total <= 16e6


@pytest.mark.parametrize('name', NETWORKS)
def test_the_card_names_this_file(name):
    network = find(name)
    text = network.card.read_text()
    digest = hashlib.sha256(network.weights.read_bytes()).hexdigest()
    assert f'SHA-256 `{digest}`' in text
    assert re.search(r'\| mIoU, validation scenes \| \d+\.\d+ %', text)
    assert 'Not for real streets' in text


@pytest.mark.parametrize('name', NETWORKS)
def test_it_segments_a_scene_that_it_never_saw(name, tmp_path):
    """Far above the commonest class, on a street of another seed."""
    run_tool('dataset_converters/synthetic_street.py', str(tmp_path / 'data'),
             '--seed', '4242', '--train', '1', '--val', '2', '--jobs', '1')
    images = sorted((tmp_path / 'data/leftImg8bit/val').rglob('*.png'))
    right = pixels = 0
    for result in Segmentor(name).predict([str(path) for path in images]):
        label = result.source.replace('leftImg8bit', 'gtFine').replace(
            'gtFine.png', 'gtFine_labelTrainIds.png')
        truth = cv2.imread(label, cv2.IMREAD_GRAYSCALE)
        right += int((result.labels == truth)[truth != 255].sum())
        pixels += int((truth != 255).sum())
    assert right / pixels > 0.6
