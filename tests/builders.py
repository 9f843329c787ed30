"""Small things that many tests build: configs, samples, data folders."""
import contextlib
import copy
import functools
import io
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import runner
from mmengine.structures import PixelData
from mmseg.registry import MODELS, PARAM_SCHEDULERS
from mmseg.structures import SegDataSample

import rtseg_plugin  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'


def run_tool(script, *args):
    """Run a script of ``tools/`` in this process.

    Returns:
        SimpleNamespace: ``returncode``, ``stdout``, ``stderr``, as of a
        subprocess, which would import the host anew.
    """
    # behind the package, which makes room for mmcv without its compiled part
    from mmseg.visualization import SegLocalVisualizer
    path = ROOT / 'tools' / script
    out, err, code = io.StringIO(), io.StringIO(), 0
    # a new process has no visualizer of another test
    SegLocalVisualizer._instance_dict.clear()
    argv = [str(path), *map(str, args)]
    with mock.patch.object(sys, 'argv', argv), \
            mock.patch.object(sys, 'path', [str(path.parent), *sys.path]), \
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(str(path), run_name='__main__')
        except SystemExit as stop:
            code = stop.code
            if isinstance(code, str):
                err.write(code)
                code = 1
        finally:
            # siblings of the script, such as _export, are found by name
            for name in list(sys.modules):
                if name in ('convert', '_export'):
                    del sys.modules[name]
    return SimpleNamespace(
        returncode=code or 0, stdout=out.getvalue(), stderr=err.getvalue())


def _plain_format(text, **kwargs):
    """In place of yapf's, which takes a second for a recipe."""
    compile(text, 'config', 'exec')
    return text, False


def shorten_runs(patch):
    """Leave out what hundreds of short runs would take longest for.

    The runner writes its config four times and asks for compilers, and a
    checkpoint waits for the disk.
    """
    patch.setattr('mmengine.config.config.FormatCode', _plain_format)
    patch.setattr(runner, 'collect_env',
                  functools.lru_cache(runner.collect_env))
    patch.setattr(os, 'fsync', lambda file: None)


@functools.lru_cache(maxsize=None)
def _read(path):
    return Config.fromfile(path)


def load_config(path):
    """A config below ``configs/``, the caller's to change."""
    return copy.deepcopy(_read(CONFIGS / path))


def build_model(cfg, **model):
    """The segmentor of a config, on the CPU, a random teacher if any."""
    init_default_scope('mmseg')
    cfg = Config(dict(model=cfg.model if 'model' in cfg else cfg))
    if 'teacher' in cfg.model:
        cfg.model.teacher.checkpoint = 'random'
    cfg.merge_from_dict(dict(model=model))
    return revert_sync_batchnorm(MODELS.build(cfg.model))


def schedulers_of(cfg, optimizer):
    """Learning-rate schedules as the runner makes them.

    One that does not say where it ends gets the length of the training.
    """
    init_default_scope('mmseg')
    schedulers = []
    for scheduler in cfg.param_scheduler:
        length = ('max_epochs' if scheduler.get('by_epoch', True)
                  else 'max_iters')
        scheduler = dict(scheduler, optimizer=optimizer)
        scheduler.setdefault('end', cfg.train_cfg[length])
        schedulers.append(PARAM_SCHEDULERS.build(scheduler))
    return schedulers


def samples(number, size, num_classes, ignore_index=255, seed=0):
    """Data samples with random labels, some of them ignored."""
    generator = torch.Generator().manual_seed(seed)
    result = []
    for _ in range(number):
        label = torch.randint(
            0, num_classes, (1, *size), generator=generator)
        label[:, :2] = ignore_index
        meta = dict(
            ori_shape=size, img_shape=size, pad_shape=size,
            padding_size=[0, 0, 0, 0])
        result.append(
            SegDataSample(
                gt_sem_seg=PixelData(data=label), metainfo=meta))
    return result


def write_cityscapes(root, train=4, val=2, size=(64, 128), seed=0):
    """Random images and labels of blocks in the layout of Cityscapes."""
    rng = np.random.default_rng(seed)
    h, w = size
    for split, number in (('train', train), ('val', val)):
        image_dir = Path(root, 'leftImg8bit', split, 'town')
        label_dir = Path(root, 'gtFine', split, 'town')
        image_dir.mkdir(parents=True)
        label_dir.mkdir(parents=True)
        for i in range(number):
            label = rng.integers(0, 19, (h // 16, w // 16), np.uint8)
            label = np.kron(label, np.ones((16, 16), np.uint8))
            image = rng.integers(0, 255, (h, w, 3), np.uint8)
            image[..., 0] = label * 13
            stem = f'town_{i:06}_000019'
            cv2.imwrite(str(image_dir / f'{stem}_leftImg8bit.png'), image)
            cv2.imwrite(
                str(label_dir / f'{stem}_gtFine_labelTrainIds.png'), label)
