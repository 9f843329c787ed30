"""Making a deployed folder: export, comparison with eager, metadata."""
import platform
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmengine.config import Config

from ..apis.deployed import DeployedNetwork
from ..apis.network import load_segmentor, resize_steps, test_resize
from ..models.layers.pooling import let_pools_follow
from ..utils import packaged_weights
from ..utils.deployed_folder import (
    REPORT,
    DeploymentError,
    sha256_of,
    write_metadata,
)
from ..utils.host_tools import load_config
from ..utils.runtimes import (
    PACKAGES,
    available_cpus,
    need,
    need_tensorrt,
)
from ..utils.whole_folder import whole_folder
from ..version import __version__
from .compare import (
    Comparison,
    compare_step,
    compare_stream,
    example_frame,
)
from .data import Validation, calibration_frames
from .graph import InferenceGraph, denormalise, normalisation_of
from .onnx_file import (
    EXAMPLE_SIZE,
    capture,
    describe_onnx,
    fix_onnx_size,
    least_side,
    write_onnx,
)
from .openvino_file import describe_openvino, read_openvino, save_openvino
from .quantize import quantize
from .report import write_report
from .tensorrt_file import build_engine

# format: (its file, precisions that it may be in)
FORMATS = {
    'onnx': ('model.onnx', ('fp32', )),
    'openvino': ('model.xml', ('fp32', 'fp16', 'bf16', 'int8')),
    'pt2': ('model.pt2', ('fp32', )),
    'tensorrt': ('model.engine', ('fp32', )),
}
# Largest difference from eager, as a share of the largest logit: rounding
# stays one or two orders below, a fault of an exporter above.
# INT8 is judged by its mIoU.
TOLERANCES = dict(fp32=1e-3, fp16=2e-2, bf16=1e-1, int8=float('inf'))
# points of mIoU that INT8 may lose where there is a validation set
MAX_DROP = 0.5
# how OpenVINO names what it computes in
COMPUTE = dict(fp32='f32', fp16='f16', bf16='bf16')


class Source(NamedTuple):
    """What is exported.

    Attributes:
        name (str): Of the config.
        cfg (Config): The config.
        segmentor (nn.Module): In eval mode, on the CPU.
        checkpoint (str | None): Its file.
        classes (list[str] | None): Names, None where unknown.
        palette (list[list[int]] | None): RGB of each class.
    """
    name: str
    cfg: Config
    segmentor: torch.nn.Module
    checkpoint: Optional[str]
    classes: Optional[List[str]]
    palette: Optional[List[List[int]]]


def load_source(model: Union[str, Path, Config],
                checkpoint: Optional[str] = None,
                cfg_options: Optional[dict] = None) -> Source:
    """Build what is to be exported.

    Args:
        model (str | Path | Config): A config, its path, the name of a recipe
            or of a network that the package brings trained.
        checkpoint (str, optional): None keeps the initial weights, or those
            of the package.
        cfg_options (dict, optional): Overrides of the config.

    Returns:
        Source: Classes are those of the checkpoint's meta, else of the
        config's data set if they are as many as the network has.

    Raises:
        DeploymentError: If one is not found or they do not fit.
    """
    try:
        packaged = packaged_weights.packaged_networks().get(str(model))
        if isinstance(model, Config):
            cfg = deepcopy(model)
            cfg.merge_from_dict(cfg_options or {})
        else:
            cfg = load_config(model, cfg_options)
        segmentor = load_segmentor(model, checkpoint, cfg_options=cfg_options)
        if checkpoint is None and packaged is not None:
            checkpoint = str(packaged.weights)
    except (OSError, RuntimeError) as error:
        raise DeploymentError(str(error)) from error
    for parameter in segmentor.parameters():
        parameter.requires_grad_(False)
    let_pools_follow(segmentor)
    meta = segmentor.dataset_meta
    palette = meta.get('palette')
    name = Path(cfg.filename).stem if cfg.filename else 'model'
    return Source(
        name if packaged is None else packaged.name, cfg, segmentor,
        checkpoint, meta.get('classes'),
        np.asarray(palette).tolist() if palette is not None else None)


def config_size(cfg: Config) -> Optional[Tuple[int, int]]:
    """The size at which a config's network is meant to run.

    What the test pipeline's ``Resize`` says; the crop of training where that
    is only a bound, as (2048, 512) of ADE20K.

    Args:
        cfg (Config): Of a network.

    Returns:
        tuple[int, int] | None: Height and width.
    """
    scales = (step.get('scale') for step in resize_steps(cfg))
    scale = next((x for x in scales if isinstance(x, (tuple, list))), None)
    if scale and max(scale) <= 2 * min(scale) + 1:
        return scale[1], scale[0]
    size = cfg.model.get('data_preprocessor', {}).get('size')
    return tuple(size) if size else None


def check_padding(source: Source, size: Tuple[int, int],
                  dynamic: bool) -> None:
    """Refuse sizes that the model's tests would pad: no graph does.

    Args:
        source (Source): Whose data preprocessor may have a ``test_cfg``.
        size (tuple[int, int]): Height and width of the frames.
        dynamic (bool): Whether they may have any size.

    Raises:
        DeploymentError: If frames would be padded, and so have other labels.
    """
    padding = getattr(source.segmentor.data_preprocessor, 'test_cfg', None)
    divisor = (padding or {}).get('size_divisor')
    least = (padding or {}).get('size')
    if divisor:
        right = tuple(-(-side // divisor) * divisor for side in size)
        what = f'multiples of {divisor}'
    elif least:
        right = max(size[0], least[0]), max(size[1], least[1])
        what = f'at least {least[0]} and {least[1]}'
    else:
        return
    if dynamic or right != tuple(size):
        instead = ' instead of --dynamic' if dynamic else ''
        raise DeploymentError(
            f'{source.name} pads images in its tests to heights and widths '
            f'of {what} (data_preprocessor.test_cfg), which an exported '
            f'network does not: give --size {right[0]} {right[1]}{instead}')


def export(model: Union[str, Path, Config],
           checkpoint: Optional[str] = None,
           *,
           out: Union[str, Path],
           format: str = 'onnx',  # noqa: A002 (the name of the option)
           precision: str = 'fp32',
           calibration: Union[str, Path, Config, None] = None,
           max_drop: Optional[float] = None,
           size: Optional[Tuple[int, int]] = None,
           dynamic: bool = False,
           output: str = 'logits',
           raw_input: bool = False,
           cfg_options: Optional[dict] = None) -> dict:
    """Export a network to a folder, compared with eager PyTorch.

    Args:
        model (str | Path | Config): See :func:`load_source`.
        checkpoint (str, optional): See :func:`load_source`.
        out (str | Path): Folder to make.
        format (str): 'onnx', 'openvino', 'pt2' or 'tensorrt'. Defaults to
            'onnx'.
        precision (str): See ``FORMATS``. Defaults to 'fp32'.
        calibration (str | Path | Config, optional): For INT8, a folder of
            images, or a config whose training images are used through its
            test pipeline. Defaults to None: the network's own config.
        max_drop (float, optional): For INT8, the points of mIoU that may be
            lost on the validation set of the calibration's config, or of the
            network's own where images of a folder calibrate. Defaults to
            None: 0.5 with a config, not measured with a folder.
        size (tuple[int, int], optional): Height and width of the frames.
            Defaults to None: see :func:`config_size`.
        dynamic (bool): Whether the graph takes frames of any size. Defaults
            to False.
        output (str): 'logits' at the head's stride, which the runner turns to
            labels of the size of the frame without resizing them; 'labels'
            makes these in the graph. Defaults to 'logits'.
        raw_input (bool): Whether the graph takes frames (1, H, W, 3), uint8,
            BGR, and normalises them. Defaults to False.
        cfg_options (dict, optional): Overrides of the config.

    Returns:
        dict: The metadata of the folder.

    Raises:
        DeploymentError: If anything does not fit, or the exported network
            gives other numbers than eager. Nothing is left behind then.
    """
    out = Path(out)
    if out.exists():
        raise DeploymentError(
            f'{out} exists: remove it or name another folder')
    if format not in FORMATS:
        raise DeploymentError(
            f'format is one of {sorted(FORMATS)}, got {format!r}')
    _, precisions = FORMATS[format]
    if precision not in precisions:
        others = [name for name, (_, some) in FORMATS.items()
                  if precision in some]
        hint = f'; --format {" or ".join(others)} is' if others else ''
        raise DeploymentError(
            f'{format} is exported in {", ".join(precisions)}, not in '
            f'{precision}{hint}')
    if precision == 'int8' and output != 'logits':
        raise DeploymentError(
            'int8 is exported with --output logits, of which the runner makes '
            'the same labels in less time')
    if precision == 'int8' and dynamic:
        raise DeploymentError(
            'int8 is exported for one size: give --size H W instead of '
            '--dynamic, with which OpenVINO crashes on processors with AMX')
    for option, value in (('calibration', calibration),
                          ('max-drop', max_drop)):
        if value is not None and precision != 'int8':
            raise DeploymentError(f'--{option} is for int8, not {precision}')
    if format == 'tensorrt':
        if dynamic:
            raise DeploymentError('a TensorRT engine is of one size: give '
                                  '--size H W instead of --dynamic')
        need_tensorrt()
    need(*PACKAGES[format])
    if precision == 'int8':
        need('nncf', extra='openvino')
    source = load_source(model, checkpoint, cfg_options)
    stateful = getattr(source.segmentor, 'stateful', False)
    if dynamic and stateful:
        raise DeploymentError(
            f'{source.name} remembers frames of one size: give --size H W '
            'instead of --dynamic')
    size = size or config_size(source.cfg)
    if size is None:
        raise DeploymentError(f'{source.name} says no size: give --size H W')
    least = least_side(source.segmentor)
    if min(size) < least:
        raise DeploymentError(
            f'{source.name} needs frames of at least {least} pixels a side, '
            f'got {size[0]}x{size[1]}')
    check_padding(source, size, dynamic)
    with whole_folder(out) as work:
        job = _Job(source, work, format, precision, size, dynamic, output,
                   raw_input, least)
        if precision == 'int8':
            job.prepare_calibration(calibration, cfg_options, max_drop)
        job.write()
        write_report(work / REPORT, job.metadata)
        write_metadata(work, job.metadata)
    return job.metadata


class _Job:
    """One export into a folder that exists."""

    def __init__(self, source: Source, folder: Path, format: str,  # noqa: A002
                 precision: str, size: Tuple[int, int], dynamic: bool,
                 output: str, raw_input: bool, least: int):
        self.source, self.folder, self.format = source, folder, format
        self.size, self.dynamic = size, dynamic
        normalisation = normalisation_of(source.segmentor)
        # OpenVINO brings its own preprocessing
        inside = raw_input and format != 'openvino'
        self.network = InferenceGraph(
            source.segmentor, output, normalisation if inside else None)
        self.network.eval()
        self.eager = InferenceGraph(source.segmentor, 'logits').eval()
        image = torch.zeros(1, 3, *size)
        self.state = self.eager.empty_state(image)
        fields = getattr(self.state, '_fields', ())
        self.inputs = ['image', *fields]
        self.outputs = [output, *(f'next_{name}' for name in fields)]
        self.resize = test_resize(source.cfg)
        head = source.segmentor.decode_head
        with torch.no_grad():
            logits = self.eager(image, *self.state)[0]
        self.metadata: Dict[str, Any] = dict(
            name=source.name,
            format=format,
            precision=precision,
            compute_precision=COMPUTE.get(precision, 'f32'),
            model=FORMATS[format][0],
            files=[],
            checkpoint=None if source.checkpoint is None else dict(
                file=Path(source.checkpoint).name,
                sha256=sha256_of(source.checkpoint)),
            classes=source.classes,
            palette=source.palette,
            mean=normalisation.mean,
            std=normalisation.std,
            channel_order=normalisation.channel_order,
            test_mode=source.segmentor.test_cfg.get('mode', 'whole'),
            input=dict(
                name='image',
                raw=raw_input,
                layout='NHWC' if raw_input else 'NCHW',
                dtype='uint8' if raw_input else 'float32',
                size=None if dynamic else list(size),
                minimum=least),
            resize=self.resize and self.resize._asdict(),
            output=dict(
                name=output,
                kind=output,
                stride=round(size[0] / logits.shape[2]),
                channels=logits.shape[1],
                align_corners=bool(source.segmentor.align_corners),
                threshold=getattr(head, 'threshold', None) or 0.5),
            state=[
                dict(
                    name=name,
                    shape=list(value.shape),
                    dtype=str(value.dtype).replace('torch.', ''))
                for name, value in zip(fields, self.state)
            ],
            versions=_versions(format, precision),
            machine=platform.processor() or platform.machine(),
            comparisons=[])

    def prepare_calibration(self, calibration: Any,
                            cfg_options: Optional[dict],
                            max_drop: Optional[float]) -> None:
        """Find the images for INT8, before anything takes long."""
        segmentor = self.source.segmentor
        frames, cfg = calibration_frames(
            self.source.cfg if calibration is None else calibration,
            None if calibration is None else cfg_options, segmentor,
            normalisation_of(segmentor), self.size, self.resize)
        next(iter(next(frames.streams())))  # whether they fit
        if cfg is None and max_drop is not None:
            cfg = self.source.cfg
        validation = Validation(cfg, segmentor, self.size) if cfg else None
        self.calibration = (frames, validation,
                            MAX_DROP if max_drop is None else max_drop)

    @property
    def tolerance(self) -> float:
        return TOLERANCES[self.metadata['precision']]

    def write(self) -> None:
        """Write the model and compare it."""
        getattr(self, f'_write_{self.format}')()

    def _capture(self, free: bool) -> torch.export.ExportedProgram:
        """The graph, for frames of any size or of the one asked for."""
        size = EXAMPLE_SIZE if free else self.size
        image, layout = torch.zeros(1, 3, *size), 'NCHW'
        if self.network.normalisation is not None:
            image = image.permute(0, 2, 3, 1).to(torch.uint8)
            layout = 'NHWC'
        return capture(self.network, (image, *self.state),
                       'HW' if free else '', layout)

    def _write_graph(self, path: Path) -> None:
        free = '' if self.state else 'HW'
        write_onnx(
            self._capture(bool(free)), self.inputs, self.outputs, path, free)

    def _write_onnx(self) -> None:
        path = self.folder / 'model.onnx'
        self._write_graph(path)
        keys = ('name', 'classes', 'palette', 'mean', 'std', 'channel_order',
                'output')
        describe_onnx(path, {key: self.metadata[key] for key in keys})
        self.metadata['files'] = ['model.onnx']
        if self.state:
            self._compare_stream()
            return
        self._compare_sizes()
        if not self.dynamic:
            fix_onnx_size(path, *self.size)
            self._compare_as_it_runs()

    def _write_openvino(self) -> None:
        graph = self.folder / 'graph.onnx'
        self._write_graph(graph)
        model = read_openvino(graph)
        graph.unlink()
        raw = self.metadata['input']['raw']
        normalisation = normalisation_of(self.source.segmentor)
        precision = self.metadata['precision']
        self.metadata['files'] = ['model.xml', 'model.bin']

        def save() -> None:
            described = describe_openvino(
                model.clone(), normalisation if raw else None,
                self.metadata)
            save_openvino(described, self.folder / 'model.xml',
                          precision == 'fp16')

        if precision == 'int8':  # it is the float network that is compared
            self.metadata['precision'] = 'fp32'
        save()
        if self.state:
            self._compare_stream()
        else:
            self._compare_sizes()
            if not self.dynamic:
                model.reshape({'image': [1, 3, *self.size]})
                save()
                self._compare_as_it_runs()
        if precision == 'int8':
            self.metadata['precision'] = 'int8'
            result = quantize(
                model, self.inputs, tuple(x.numpy() for x in self.state),
                *self.calibration)
            model = result.model
            self.metadata['compute_precision'] = result.compute
            self.metadata['int8'] = result.report
            save()
            self._compare_as_it_runs()

    def _write_pt2(self) -> None:
        program = self._capture(self.dynamic)
        for bounds in program.range_constraints.values():
            if (bounds.lower > least_side(self.network)
                    or bounds.upper < max(self.size)):
                raise DeploymentError(
                    'torch.export holds this network to sizes from '
                    f'{bounds.lower} to {bounds.upper}: give --size H W '
                    'instead of --dynamic')
        program.example_inputs = None  # would be the only pickle in it
        torch.export.save(program, self.folder / 'model.pt2')
        self.metadata['files'] = ['model.pt2']
        if self.dynamic:
            self._compare_sizes()
        else:
            self._compare_as_it_runs()

    def _write_tensorrt(self) -> None:
        graph = self.folder / 'graph.onnx'
        write_onnx(
            self._capture(False), self.inputs, self.outputs, graph)
        build_engine(graph, self.folder / 'model.engine')
        graph.unlink()
        self.metadata['files'] = ['model.engine']
        self._compare_as_it_runs()

    def _open(self, size: Optional[Tuple[int, int]]) -> DeployedNetwork:
        """The folder as it stands, for frames of a size or of any."""
        self.metadata['input']['size'] = list(size) if size else None
        files = list(self.metadata['files'])
        write_metadata(self.folder, self.metadata)
        network = DeployedNetwork(self.folder, available_cpus())
        self.metadata['files'] = files
        return network

    def _frames(self) -> Iterator[np.ndarray]:
        """To compare on; of INT8 what calibrated it."""
        if self.metadata['precision'] != 'int8':
            return (example_frame(*self.size, seed=i) for i in range(8))
        how = normalisation_of(self.source.segmentor)
        stream = next(iter(self.calibration[0].streams()))
        return (denormalise(image, how) for image in islice(stream, 8))

    def _compare_as_it_runs(self) -> None:
        """On a stream, or on a frame of the size asked for."""
        if self.state:
            self._compare_stream()
        else:
            self._compare([next(self._frames())])

    def _compare_sizes(self) -> None:
        """With free sizes: at two others, odd ones if any may come."""
        least = self.metadata['input']['minimum']
        height, width = self.size
        sizes = [(height // 2 + 32, width // 2 + 96),
                 (height * 5 // 8, width * 3 // 8)]
        if self.dynamic:
            sizes = [self.size, sizes[0], tuple(side | 1 for side in sizes[1])]
        else:  # not every network of the host's takes all sizes
            sizes = [tuple(-(-side // 32) * 32 for side in one)
                     for one in sizes]
        self._compare([example_frame(*(max(side, least) for side in one))
                       for one in sizes], free=True)

    def _compare(self, frames: List[np.ndarray], free: bool = False) -> None:
        deployed = self._open(None if free else self.size)
        for frame in frames:
            try:
                comparison = compare_step(deployed, self.eager, frame)
            except Exception as error:  # each runtime has its own
                size = frame.shape[:2]
                cause = str(error).strip().rpartition('\n')[2]
                hint = (': give --size H W instead of --dynamic'
                        if self.dynamic else '')
                raise DeploymentError(
                    f'{self.source.name} does not run at {size[0]}x{size[1]}, '
                    f'or what was exported of it does not{hint} '
                    f'({cause})') from error
            self._add(comparison)

    def _compare_stream(self) -> None:
        self._add(
            compare_stream(self._open(self.size), self.source.segmentor,
                           list(self._frames())))

    def _add(self, comparison: Comparison) -> None:
        self.metadata['comparisons'].append(
            dict(comparison._asdict(), precision=self.metadata['precision']))
        precision = self.metadata['precision']
        allowed = (', on what calibrated it' if precision == 'int8' else
                   f', allowed {self.tolerance:.0e}')
        print(f'{precision} {comparison}{allowed}')
        if not comparison.difference <= self.tolerance:
            raise DeploymentError(
                f'the exported network gives other numbers than eager: '
                f'{comparison}, allowed {self.tolerance:.0e}. The folder was '
                'not made')


def _versions(format: str, precision: str) -> Dict[str, str]:  # noqa: A002
    versions = dict(rtseg_plugin=__version__, torch=torch.__version__)
    module = PACKAGES[format][0]
    versions[module] = need(module).__version__
    if precision == 'int8':
        versions['nncf'] = need('nncf').__version__
    return versions
