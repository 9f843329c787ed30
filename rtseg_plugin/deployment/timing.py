"""Timing networks against each other: forms, backends, precisions.

What is compared runs in turns in one process (A B A B), so that a machine
that slows down does so for all, and ratios are taken within a turn.
"""
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import torch

from ..apis.deployed import DeployedNetwork
from ..apis.network import full_memory
from ..apis.prediction import Prediction
from ..apis.sources import open_source
from ..apis.torch_network import TorchNetwork
from ..apis.video_session import VideoSession
from ..apis.video_writer import VideoWriter
from ..models.inference import to_inference
from ..models.layers.label_map import label_map
from ..utils.deployed_folder import METADATA, DeploymentError
from ..utils.runtimes import available_cpus, need
from ..utils.timing import in_turns
from .compare import example_frame
from .export import export, load_source
from .graph import normalisation_of, normalise

MODES = ('network', 'pipeline', 'stream')
OUTPUTS = ('labels', 'logits')
# name of the backend: format of its folder
BACKENDS = {'torch': None, 'onnxruntime': 'onnx', 'openvino': 'openvino'}
FORMS = ('inference', 'plain')
# frames of the clip of a stream
STREAM_FRAMES = 24


class Setting(NamedTuple):
    """What has to be alike for a comparison to mean anything.

    Attributes:
        size (tuple[int, int]): Height and width.
        threads (int): Of the CPU.
        mode (str): 'network' (normalised image in), 'pipeline' (frame in) or
            'stream' (a video file decoded beside the network).
        output (str): 'labels' of the size of the frame, or 'logits' at the
            stride of the head.
        batch (int): Frames at once, in eager PyTorch and mode 'network'.
    """
    size: Tuple[int, int]
    threads: int
    mode: str = 'network'
    output: str = 'labels'
    batch: int = 1


class Contender(NamedTuple):
    """Something to be timed.

    Attributes:
        name (str): In tables.
        run (Callable): Once.
        frames (int): How many frames that is.
        setting (Setting): What it does.
        facts (dict): Backend, precision, form, parameters.
    """
    name: str
    run: Callable[[], Any]
    frames: int
    setting: Setting
    facts: Dict[str, Any]


def deployed_contender(folder: Path, setting: Setting,
                       name: Optional[str] = None) -> Contender:
    """A folder that ``export.py`` made.

    Args:
        folder (Path): The folder.
        setting (Setting): What is to be done.
        name (str, optional): Defaults to None: of the network and its format.

    Returns:
        Contender: A stream goes on from frame to frame.

    Raises:
        DeploymentError: If the folder does something else.
    """
    network = DeployedNetwork(folder, setting.threads)
    has = network.metadata
    if network.size not in (None, setting.size):
        raise DeploymentError(f'{folder} is for {network.size}, not for '
                              f'{setting.size}')
    if setting.output == 'logits' and has['output']['kind'] != 'logits':
        raise DeploymentError(f'{folder} gives {has["output"]["kind"]}, not '
                              'logits')
    check_size(setting.size, network.minimum, str(folder))
    facts = dict(backend=has['format'], precision=has['precision'],
                 compute=has['compute_precision'], form='exported')
    name = name or f'{has["name"]} {has["format"]} {has["precision"]}'
    if setting.mode == 'stream':
        return _stream(name, network, setting, facts)
    frame = example_frame(*setting.size)
    image, state = network.prepare(frame), network.empty_state()

    def run() -> Any:
        nonlocal state
        ready = network.prepare(frame) if setting.mode == 'pipeline' else image
        output, state = network.run_prepared(ready, state)
        if setting.output == 'labels':
            return network.labels(output, setting.size)
        return output

    return Contender(name, run, 1, setting, facts)


def torch_contender(model: Any, checkpoint: Optional[str], setting: Setting,
                    form: str = 'inference', precision: str = 'fp32',
                    name: Optional[str] = None,
                    cfg_options: Optional[dict] = None) -> Contender:
    """A config in eager PyTorch on the CPU.

    Args:
        model (str | Path | Config): See :func:`.load_source`.
        checkpoint (str, optional): Speed needs none.
        setting (Setting): What is to be done. Of ``labels``, the plain form
            resizes all maps and takes the argmax, as the host does; in a
            stream both forms have the label map.
        form (str): 'plain', the modules as they stand; or 'inference', see
            :func:`rtseg_plugin.models.inference.to_inference`.
        precision (str): 'fp32' or 'bf16'. Defaults to 'fp32'.
        name (str, optional): Defaults to None: of the config and the form.
        cfg_options (dict, optional): Overrides of the config.

    Returns:
        Contender: Of a network with memory, a frame whose memory is full.

    Raises:
        DeploymentError: If there is no such network or precision.
    """
    if precision not in ('fp32', 'bf16'):
        raise DeploymentError('eager PyTorch is timed in fp32 or bf16, not in '
                              f'{precision}')
    source = load_source(model, checkpoint, cfg_options)
    segmentor = source.segmentor
    check_size(setting.size, getattr(segmentor.backbone, 'total_stride', 1),
               source.name)
    facts = dict(
        backend='torch', precision=precision, form=form,
        parameters=sum(p.numel() for part in ('backbone', 'neck',
                                              'decode_head')
                       for p in getattr(segmentor, part, torch.nn.Identity(
                       )).parameters()))
    name = name or f'{source.name} torch {form} {precision}'
    how = normalisation_of(segmentor)
    if form == 'inference':
        segmentor = to_inference(segmentor)
    if setting.mode == 'stream':
        return _stream(name, TorchNetwork(segmentor, precision), setting,
                       facts)
    autocast = torch.autocast(
        'cpu', torch.bfloat16, enabled=precision == 'bf16')
    frame = example_frame(*setting.size)
    state = None
    with torch.inference_mode(), autocast:
        image = torch.from_numpy(normalise(frame, how))
        image = image.repeat(setting.batch, 1, 1, 1)
        if getattr(segmentor, 'stateful', False):
            state, _ = full_memory(segmentor, image)
    align = segmentor.align_corners

    def run() -> Any:
        torch.set_num_threads(setting.threads)
        with torch.inference_mode(), autocast:
            ready = image
            if setting.mode == 'pipeline':
                ready = torch.from_numpy(normalise(frame, how))
            if state is None:
                logits = segmentor(ready, mode='tensor')
            else:
                features, _ = segmentor.neck(
                    segmentor.backbone(ready), state)
                logits = segmentor.decode_head(features)
            if setting.output == 'logits':
                return logits
            if form == 'inference':
                return label_map(logits, setting.size, align)
            return torch.nn.functional.interpolate(
                logits, setting.size, mode='bilinear',
                align_corners=align).argmax(1)

    return Contender(name, run, setting.batch, setting, facts)


def backend_contender(model: Any, checkpoint: Optional[str], backend: str,
                      setting: Setting, folder: Path, precision: str = 'fp32',
                      cfg_options: Optional[dict] = None) -> Contender:
    """A config exported to a folder and run there.

    Args:
        model (str | Path | Config): See :func:`.load_source`.
        checkpoint (str, optional): Speed needs none.
        backend (str): 'onnxruntime' or 'openvino'.
        setting (Setting): What is to be done.
        folder (Path): To export to.
        precision (str): See :func:`.export`. Defaults to 'fp32'. INT8 is
            calibrated with pictures of noise, enough for speed alone.
        cfg_options (dict, optional): Overrides of the config.

    Returns:
        Contender: The exported network.
    """
    with tempfile.TemporaryDirectory() as pictures:
        calibration = None
        if precision == 'int8':
            import cv2
            calibration = pictures
            for i in range(4):
                cv2.imwrite(f'{pictures}/{i}.png',
                            example_frame(*setting.size, seed=i))
        export(model, checkpoint, out=folder, format=BACKENDS[backend],
               precision=precision, size=setting.size,
               calibration=calibration, cfg_options=cfg_options)
    return deployed_contender(folder, setting)


def is_folder(model: Any) -> bool:
    """Whether it is a deployed folder, not a config."""
    return (isinstance(model, (str, Path))
            and (Path(model) / METADATA).is_file())


def _stream(name: str, network: Any, setting: Setting,
            facts: dict) -> Contender:
    """A video file through the front door."""
    if setting.output != 'labels':
        raise DeploymentError('a stream gives labels')
    need('av', extra='optional')
    # goes with the contender that holds it
    folder = tempfile.TemporaryDirectory(prefix='rtseg-stream-')
    writer = VideoWriter(Path(folder.name, 'clip.mp4'), setting.size)
    frame = example_frame(*setting.size)
    for index in range(STREAM_FRAMES):
        writer.write(np.roll(frame, 4 * index, axis=1))
    writer.close()

    def run() -> int:
        torch.set_num_threads(setting.threads)
        prediction = Prediction([open_source(Path(folder.name, 'clip.mp4'))],
                                [VideoSession(network, size=setting.size)])
        return sum(1 for _ in prediction)

    return Contender(name, run, STREAM_FRAMES, setting, facts)


def check_size(size: Tuple[int, int], least: int, name: str) -> None:
    """Raise DeploymentError for images that a network does not take."""
    if min(size) < least:
        raise DeploymentError(f'{name} needs images of at least {least} '
                              f'pixels a side, got {size[0]}x{size[1]}')


def check_alike(contenders: List[Contender]) -> None:
    """Raise DeploymentError where a comparison would mean nothing."""
    first = contenders[0]
    for other in contenders[1:]:
        for field in Setting._fields:
            want, have = (getattr(c.setting, field) for c in (first, other))
            if want != have:
                raise DeploymentError(
                    f'{first.name} and {other.name} differ in {field} ({want} '
                    f'and {have}): a ratio of their times means nothing')


def time_in_turns(contenders: List[Contender], rounds: int = 20,
                  warmup: int = 3) -> np.ndarray:
    """Time all of them, one after the other, again and again.

    Args:
        contenders (list[Contender]): Of like settings.
        rounds (int): Timed turns. Defaults to 20.
        warmup (int): Untimed turns before. Defaults to 3.

    Returns:
        np.ndarray: Seconds per frame, (rounds, contenders).

    Raises:
        DeploymentError: If their settings differ.
    """
    check_alike(contenders)
    return take_turns(contenders, rounds, warmup)


def take_turns(contenders: List[Contender], rounds: int = 20,
               warmup: int = 3) -> np.ndarray:
    """:func:`time_in_turns` of settings that differ on purpose."""
    taken = in_turns([c.run for c in contenders], rounds, warmup)
    return taken / [c.frames for c in contenders]


def summarise(contenders: List[Contender],
              seconds: np.ndarray) -> List[Dict[str, Any]]:
    """Medians, and ratios to the first with their spread.

    Args:
        contenders (list[Contender]): What was timed.
        seconds (np.ndarray): Of :func:`time_in_turns`.

    Returns:
        list[dict]: A row each: milliseconds, frames per second, ``ratio``
        (median over the turns) with its 10th and 90th percentile, facts.
    """
    ratios = seconds / seconds[:, :1]
    rows = []
    for i, contender in enumerate(contenders):
        low, ratio, high = np.percentile(ratios[:, i], (10, 50, 90))
        median = float(np.median(seconds[:, i]))
        rows.append(
            dict(
                name=contender.name,
                ms=1000 * median,
                p10_ms=1000 * float(np.percentile(seconds[:, i], 10)),
                p90_ms=1000 * float(np.percentile(seconds[:, i], 90)),
                frames_per_second=1 / median,
                ratio=float(ratio),
                ratio_p10=float(low),
                ratio_p90=float(high),
                **contender.facts))
    return rows


def table(rows: List[Dict[str, Any]]) -> str:
    """Rows of :func:`summarise` as Markdown."""
    lines = ['| | ms | p10 to p90 | frames / s | ratio | p10 to p90 |',
             '|---|---|---|---|---|---|']
    lines += [
        f'| {r["name"]} | {r["ms"]:.1f} | {r["p10_ms"]:.1f} to '
        f'{r["p90_ms"]:.1f} | {r["frames_per_second"]:.1f} | '
        f'{r["ratio"]:.2f} | {r["ratio_p10"]:.2f} to {r["ratio_p90"]:.2f} |'
        for r in rows
    ]
    return '\n'.join(lines)


def threads_or_all(threads: Optional[int]) -> int:
    """As asked for, or all CPUs of this process; torch is set to it.

    Raises:
        DeploymentError: If it is less than one.
    """
    if threads is not None and threads < 1:
        raise DeploymentError(f'--threads must be at least 1, got {threads}')
    threads = threads or available_cpus()
    torch.set_num_threads(threads)
    return threads
