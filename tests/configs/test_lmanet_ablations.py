"""That LMANet's ablations are what their names and the tables say."""
import re

import pytest

from tests.builders import CONFIGS, load_config

FILES = {path.stem: path
         for path in (CONFIGS / 'lmanet/ablations').glob('*.py')}
NAME = re.compile(r'lmanet-erfnet-s(\d+)-(r\d+|global)(-concat|-test)?'
                  r'_(stage[12]_)?2xb5-50e_cityscapes-512x1024')
# Table I, II, III; the others are trained with S=4
TRAINED = {f's{s}-r21' for s in (1, 2, 3, 5)} | {
    f's{s}-{window}'
    for s in (3, 4) for window in ('global', 'r41', 'r11', 'r1')
} | {'s3-r21-concat'}


def test_the_tables_are_complete():
    assert set(FILES) == {
        f'lmanet-erfnet-{name}_{stage}_2xb5-50e_cityscapes-512x1024'
        for name in TRAINED for stage in ('stage1', 'stage2')
    } | {
        f'lmanet-erfnet-s{s}-r21-test_2xb5-50e_cityscapes-512x1024'
        for s in (10, 16, 19)
    }


@pytest.mark.parametrize('name', FILES)
def test_a_config_is_what_its_name_says(name):
    frames, window, kind, stage = NAME.fullmatch(name).groups()
    cfg = load_config(FILES[name])
    neck = cfg.model.neck
    assert neck.memory_size == int(frames)
    assert neck.window_size == (
        None if window == 'global' else int(window[1:]))
    assert neck.fusion.type == (
        'ConcatFusion' if kind == '-concat' else 'GatedFusion')
    # clips fill the memory
    for loader in ('train', 'val', 'test'):
        clip = cfg[f'{loader}_dataloader'].dataset.clip_length
        trained_with_4 = loader == 'train' and kind == '-test'
        assert clip == 1 + (4 if trained_with_4 else int(frames)), loader
    frozen = {'stage1_': ['backbone', 'decode_head']}.get(stage, ['backbone'])
    assert cfg.custom_hooks[-1].prefixes == frozen
    if stage == 'stage2_':
        before = name.replace('stage2', 'stage1')
        assert cfg.load_from == f'work_dirs/{before}/epoch_50.pth'
        assert before in FILES
