"""Speed of a segmentor: of the network alone, and of stock ``predict``.

Takes the arguments of MMSegmentation's script of this name and adds its own.
The network alone is backbone, neck, head and the resize of the logits to the
input, on one random image; ``predict`` is what stock MMSegmentation times,
with the resize to the size of the original image and the argmax, on images of
the test set or, without one, on the random image. Of a video network the
network alone is a frame of a stream whose memory is full, and ``predict`` a
clip of the test set or, without one, a random clip whose last frame reads a
full memory. Prints the multiply-adds per second as a share of this machine's
convolution peak, which is measured in the same run, and writes a JSON.

The network alone is timed in its inference form and, in turns with it, in its
plain form, the modules as they stand. With ``--backend``, ``--mode`` or
``--output``, or a folder of ``export.py`` for a config, what is timed is
instead a frame of 'network' (normalised image in), 'pipeline' (frame in) or
'stream' (a video file decoded beside the network, next to the network alone),
on that backend.
"""
import argparse
import os
import os.path as osp
import platform
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Sequence, Tuple

import numpy as np
import torch
from mmengine import DictAction
from mmengine.fileio import dump
from mmengine.runner import Runner
from mmseg.structures import SegDataSample

from rtseg_plugin.apis.network import (
    LogitsNetwork,
    StreamNetwork,
    frame_network,
    full_memory,
    load_segmentor,
)
from rtseg_plugin.deployment.timing import (
    BACKENDS,
    MODES,
    OUTPUTS,
    Setting,
    backend_contender,
    check_size,
    deployed_contender,
    is_folder,
    summarise,
    take_turns,
    threads_or_all,
    torch_contender,
)
from rtseg_plugin.models.inference import to_inference
from rtseg_plugin.utils.deployed_folder import DeploymentError, read_metadata
from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.multiply_adds import count_multiply_adds
from rtseg_plugin.utils.timing import in_turns, timed

DTYPES = dict(fp32='float32', fp16='float16', bf16='bfloat16')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'config', help='config file, name of a recipe, or a deployed folder')
    parser.add_argument(
        'checkpoint', nargs='?', help='checkpoint; speed needs none')
    parser.add_argument(
        '--log-interval', type=int, default=50, help='images per line of log')
    parser.add_argument(
        '--work-dir', help='folder of the JSON, default work_dirs/CONFIG')
    parser.add_argument('--repeat-times', type=int, default=1)
    parser.add_argument(
        '--shape',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help='size of the random image, default 512 1024, or that of a folder')
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument(
        '--device', help="'cpu', 'cuda:0', ...; default: a GPU if any")
    parser.add_argument(
        '--dtype',
        choices=sorted(DTYPES.values()),
        help='default float32')
    parser.add_argument(
        '--threads', type=int, help='CPU threads, default: as torch chooses')
    parser.add_argument(
        '--iterations', type=int, default=30, help='timed runs, default 30')
    parser.add_argument(
        '--warmup', type=int, default=5, help='untimed runs before, default 5')
    parser.add_argument(
        '--memory-format',
        choices=['contiguous', 'channels_last'],
        default='contiguous')
    parser.add_argument(
        '--network-only',
        action='store_true',
        help='skip predict, which may need a data set')
    parser.add_argument(
        '--backend',
        choices=sorted(BACKENDS),
        help='export the config, to a folder that is removed, and time that')
    parser.add_argument(
        '--precision',
        choices=['fp32', 'fp16', 'bf16', 'int8'],
        help='--dtype by another name, and int8 of a backend')
    parser.add_argument('--mode', choices=MODES)
    parser.add_argument('--output', choices=OUTPUTS)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.iterations < 1 or args.repeat_times < 1:
        parser.error('--iterations and --repeat-times must be at least 1')
    folder = is_folder(args.config)
    args.alone = bool(args.backend or args.mode or args.output
                      or args.precision == 'int8' or folder)
    if args.alone:
        fixed = dict(device=(None, 'cpu'), batch_size=(1, ),
                     repeat_times=(1, ), memory_format=('contiguous', ))
        if folder:
            fixed.update(dict.fromkeys(
                ('checkpoint', 'backend', 'precision', 'dtype',
                 'cfg_options'), (None, )))
        for name, values in fixed.items():
            if getattr(args, name) not in values:
                parser.error(
                    f'{name.replace("_", "-")} cannot be chosen '
                    + ('of a deployed folder' if folder else
                       'with --backend, --mode, --output or int8'))
    if args.shape is None and not folder:
        args.shape = [512, 1024]
    dtypes = {name: dtype for dtype, name in DTYPES.items()}
    args.precision = args.precision or dtypes[args.dtype or 'float32']
    args.dtype = DTYPES.get(args.precision)
    return args


def summary(seconds: Sequence[float], images: int) -> Dict[str, float]:
    """Median, percentiles and extremes in ms, and images per second."""
    ms = np.asarray(seconds) * 1000
    p = {f'p{q}_ms': float(np.percentile(ms, q)) for q in (10, 90, 99)}
    return dict(
        runs=len(ms),
        median_ms=float(np.median(ms)),
        mean_ms=float(ms.mean()),
        min_ms=float(ms.min()),
        max_ms=float(ms.max()),
        **p,
        images_per_second=float(images * 1000 / np.median(ms)))


def conv_peak(device: str, dtype: torch.dtype,
              memory_format: torch.memory_format) -> Tuple[Callable, int]:
    """The convolution whose speed counts as peak, and its multiply-adds."""
    conv = torch.nn.Conv2d(256, 256, 3, padding=1, bias=False)
    conv = conv.to(device, dtype, memory_format=memory_format)
    x = torch.randn(1, 256, 128, 128, device=device, dtype=dtype)
    x = x.contiguous(memory_format=memory_format)
    return lambda: conv(x), 256 * 256 * 9 * 128 * 128


def time_network(args, model, dtype) -> Tuple[dict, dict]:
    """Time the network alone, the peak convolution interleaved."""
    memory_format = getattr(
        torch, dict(contiguous='contiguous_format').get(
            args.memory_format, args.memory_format))
    model = model.to(memory_format=memory_format)
    x = torch.randn(args.batch_size, 3, *args.shape).to(
        args.device, dtype).contiguous(memory_format=memory_format)
    plain = network = frame_network(model, x)
    try:
        network = frame_network(
            to_inference(model).to(memory_format=memory_format), x)
    except RuntimeError as error:
        print(f'no inference form: {error}')
    peak_run, peak_macs = conv_peak(args.device, dtype, memory_format)
    counter = count_multiply_adds(plain, x)
    counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with torch.no_grad():
        macs = int(counter.total())
    with torch.inference_mode():
        plain_s, network_s, *peak_s = in_turns(
            [partial(plain, x), partial(network, x), *[peak_run] * 3],
            args.iterations, max(args.warmup, 1), args.device).T
    result = summary(network_s, args.batch_size)
    peak = peak_macs / np.median(peak_s)
    rate = macs / np.median(network_s)
    result.update(
        macs=macs,
        gmacs_per_second=rate / 1e9,
        peak_gmacs_per_second=peak / 1e9,
        share_of_conv_peak=rate / peak,
        plain=summary(plain_s, args.batch_size),
        ratio_to_plain=float(np.median(network_s / plain_s)))
    memory_full = isinstance(network, StreamNetwork)
    return result, dict(shape=list(x.shape), memory_full=memory_full)


def test_batches(cfg, args, model):
    """Batches of the test set, or one random input for ever, and which."""
    loader_cfg = cfg.get('test_dataloader')
    if loader_cfg is not None:
        loader_cfg = dict(
            loader_cfg, batch_size=1, num_workers=0, persistent_workers=False)
        try:
            loader = Runner.build_dataloader(loader_cfg)
        except FileNotFoundError as error:
            print(f'no test set ({error}): predict runs on a random input')
        else:
            if len(loader):
                return list(
                    batch for batch, _ in zip(loader, range(64))), 'test set'
    h, w = args.shape
    meta = dict(
        ori_shape=(h, w), img_shape=(h, w), pad_shape=(h, w),
        padding_size=[0, 0, 0, 0])
    shape, source = (3, h, w), 'random image'
    if getattr(model, 'stateful', False):
        x = next(model.parameters()).new_zeros(1, *shape)
        shape, source = (full_memory(model, x)[1], *shape), 'random clip'
    inputs = torch.randint(0, 256, shape, dtype=torch.uint8)
    return [dict(inputs=[inputs],
                 data_samples=[SegDataSample(metainfo=meta)])], source


def time_predict(args, cfg, model, dtype) -> dict:
    """Time ``model(..., mode='predict')`` as the stock script does."""
    batches, source = test_batches(cfg, args, model)
    prepared = []
    for batch in batches:
        data = model.data_preprocessor(batch, False)
        prepared.append((data['inputs'].to(dtype), data['data_samples']))
    seconds = []
    with torch.no_grad():
        for i in range(args.warmup + args.iterations):
            inputs, samples = prepared[i % len(prepared)]
            took = timed(
                lambda: model(inputs, samples, mode='predict'),  # noqa: B023
                args.device)
            if i >= args.warmup:
                seconds.append(took)
                if len(seconds) % args.log_interval == 0:
                    print(f'Done image [{len(seconds)}/{args.iterations}], '
                          f'fps: {len(seconds) / sum(seconds):.2f} img / s')
    return dict(
        summary(seconds, 1),
        source=source,
        shape=list(prepared[0][0].shape),
        unit=f'{"clip" if prepared[0][0].dim() == 5 else "image"} of the '
        f'{source}, resize to its size and argmax included')


def time_backend(args) -> None:
    """A backend, a mode or an output by itself; writes a JSON as well."""
    try:
        size = args.shape or read_metadata(args.config)['input']['size']
        setting = Setting(
            tuple(size or (512, 1024)), threads_or_all(args.threads), args.mode
            or 'network', args.output or 'labels')
        settings = [setting]
        if setting.mode == 'stream':
            settings.append(setting._replace(mode='network'))
        with tempfile.TemporaryDirectory() as work:
            contenders = [
                backend_contender_of(args, one, Path(work, 'exported'))
                for one in settings
            ]
            seconds = take_turns(contenders, args.iterations, args.warmup)
    except DeploymentError as error:
        sys.exit(f'error: {error}')
    rows = [dict(row, **one._asdict())
            for row, one in zip(summarise(contenders, seconds), settings)]
    for row in rows:
        print(f'{row["name"]}, {row["size"][0]}x{row["size"][1]}, '
              f'{row["threads"]} threads, {row["mode"]}, {row["output"]} out: '
              f'median {row["ms"]:.1f} ms, p10 {row["p10_ms"]:.1f}, p90 '
              f'{row["p90_ms"]:.1f}, {row["frames_per_second"]:.2f} frames / '
              's')
    if len(rows) == 2:
        print(f'the stream runs at {rows[1]["ratio"]:.2f} of the rate of the '
              'network alone')
    write_json(args, dict(rows=rows))


def backend_contender_of(args, setting, folder):
    """What the arguments ask for."""
    for exported in (Path(args.config), folder):
        if is_folder(exported):
            return deployed_contender(exported, setting)
    if args.backend in (None, 'torch'):
        return torch_contender(
            args.config, args.checkpoint, setting, precision=args.precision,
            cfg_options=args.cfg_options)
    return backend_contender(
        args.config, args.checkpoint, args.backend, setting, folder,
        args.precision, cfg_options=args.cfg_options)


def name_of(args) -> str:
    """Of the recipe, the network of the package or the folder."""
    return Path(args.config).name.removesuffix('.py')


def write_json(args, result: dict) -> None:
    """Into the work directory."""
    work_dir = args.work_dir or osp.join('work_dirs', name_of(args))
    os.makedirs(work_dir, exist_ok=True)
    stamp = time.strftime('%Y%m%d_%H%M%S')
    out = osp.join(work_dir, f'fps_{stamp}.json')
    dump(result, out, indent=4)
    print(f'wrote {out}')


def main() -> None:
    args = parse_args()
    if args.alone:
        return time_backend(args)
    if args.device is None:
        args.device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        cfg = load_config(args.config, args.cfg_options)
        if args.threads is not None:
            threads_or_all(args.threads)
        model = load_segmentor(args.config, args.checkpoint, args.device,
                               args.cfg_options)
        check_size(args.shape, getattr(model.backbone, 'total_stride', 1),
                   args.config)
    except (DeploymentError, FileNotFoundError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    dtype = getattr(torch, args.dtype)
    model = model.to(dtype)
    torch.backends.cudnn.benchmark = True
    name = name_of(args)
    device_name = (
        torch.cuda.get_device_name(args.device)
        if args.device.startswith('cuda') else platform.processor()
        or platform.machine())
    result = dict(
        config=name,
        device=args.device,
        device_name=device_name,
        dtype=args.dtype,
        memory_format=args.memory_format,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        parameters=sum(p.numel() for part in LogitsNetwork(model).children()
                       for p in part.parameters()),
        network=[],
        predict=[])
    print(f'{name}: {result["parameters"]:,} parameters, {args.device} '
          f'({device_name}), {args.dtype}, {args.memory_format}, '
          f'{result["threads"]} threads, torch {torch.__version__}')
    for i in range(args.repeat_times):
        network, more = time_network(args, model, dtype)
        result['network'].append(dict(network, **more))
        full = ', memory full' if more['memory_full'] else ''
        print(f'network alone{full}, run {i + 1}: '
              f'input {tuple(more["shape"])}, logits resized to it: '
              f'median {network["median_ms"]:.1f} ms, '
              f'p10 {network["p10_ms"]:.1f}, p90 {network["p90_ms"]:.1f}, '
              f'p99 {network["p99_ms"]:.1f}, max {network["max_ms"]:.1f}, '
              f'{network["images_per_second"]:.2f} img / s')
        print(f'  inference form; plain form, in turns with it: median '
              f'{network["plain"]["median_ms"]:.1f} ms, ratio '
              f'{network["ratio_to_plain"]:.2f}')
        print(f'  {network["macs"] / 1e9:.2f} G multiply-adds, '
              f'{network["gmacs_per_second"]:.1f} G per second, '
              f'{network["share_of_conv_peak"]:.1%} of the convolution peak '
              f'({network["peak_gmacs_per_second"]:.1f} G per second: 3x3, '
              '256 to 256 channels, 128x128, same run)')
        if args.network_only:
            continue
        predict = time_predict(args, cfg, model, dtype)
        result['predict'].append(predict)
        print(f'predict, run {i + 1} ({predict["source"]}, input '
              f'{tuple(predict["shape"])}, resize to the original size and '
              f'argmax included): median {predict["median_ms"]:.1f} ms, '
              f'p90 {predict["p90_ms"]:.1f}, p99 {predict["p99_ms"]:.1f}, '
              f'{predict["images_per_second"]:.2f} img / s')
    shares = [n['share_of_conv_peak'] for n in result['network']]
    if len(shares) > 1:
        print(f'share of the convolution peak over {len(shares)} runs: median '
              f'{np.median(shares):.1%}, {min(shares):.1%} to '
              f'{max(shares):.1%}')
    write_json(args, result)


if __name__ == '__main__':
    main()
