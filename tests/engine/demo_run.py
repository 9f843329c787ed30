"""The demo recipe of SCTNet-S with the real runner, on tiny files."""
import torch
from mmengine.runner import Runner

from tests.builders import load_config

SIZE = (64, 128)


def demo_config(data_root, work_dir, iterations, save_every=1000):
    """The demo recipe on tiny files, with a random teacher."""
    cfg = load_config('sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py')
    cfg.model.teacher.checkpoint = 'random'
    cfg.model.data_preprocessor.size = SIZE
    cfg.work_dir = str(work_dir)
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data_root)
        for transform in loader.dataset.pipeline:
            if 'scale' in transform:
                transform.scale = SIZE[::-1]
            if 'crop_size' in transform:
                transform.crop_size = SIZE
    cfg.train_dataloader.batch_size = 2
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop', max_iters=iterations, val_interval=1000)
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', by_epoch=False, interval=save_every)
    cfg.randomness = dict(seed=5)
    cfg.log_level = 'ERROR'
    cfg.experiment_name = f'{work_dir.name}_{iterations}'
    # one of that name, made by another test, would write elsewhere
    cfg.visualizer.name = cfg.experiment_name
    return cfg


HEAD = dict(
    type='FCNHead', in_channels=128, channels=8, num_convs=1,
    norm_cfg=dict(type='BN'), loss_decode=dict(type='CrossEntropyLoss'))


def tiny_config(data_root, work_dir, iterations=1, num_classes=19):
    """The same with a network of no size, for what is not about networks."""
    cfg = demo_config(data_root, work_dir, iterations)
    cfg.model = dict(
        type='EncoderDecoder',
        data_preprocessor=cfg.model.data_preprocessor,
        backbone=dict(type='ERFNetEncoder', num_blocks=1, dilations=(2, )),
        decode_head=dict(HEAD, num_classes=num_classes),
        auxiliary_head=dict(HEAD, num_classes=num_classes),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def run_test(cfg, checkpoint):
    cfg.load_from = str(checkpoint)
    return Runner.from_cfg(cfg).test()


def weights(path):
    return torch.load(path, weights_only=False)['state_dict']
