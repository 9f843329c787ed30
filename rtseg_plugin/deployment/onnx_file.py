"""Capturing networks as programs, and writing these as ONNX files."""
import json
import logging
import re
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Sequence

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config

from ..utils.deployed_folder import DeploymentError
from ..utils.runtimes import need

# Height and width of the example of a graph with free sizes: unlike any
# number of channels or stride, since what happens to be equal in the example
# is taken for equal always.
EXAMPLE_SIZE = (200, 328)


@contextmanager
def _quiet():
    """Without the exporter's words on what it lacks and does not need."""
    logger = logging.getLogger('torch')
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            yield
        finally:
            logger.setLevel(level)


def least_side(network: nn.Module) -> int:
    """The shortest side that a graph with free sizes may take.

    A feature of one pixel would be another graph.
    """
    return 1 + getattr(network.backbone, 'total_stride', 1)


def capture(network: nn.Module,
            inputs: Sequence[Tensor],
            free: str = '',
            layout: str = 'NCHW') -> torch.export.ExportedProgram:
    """The graph of a network.

    Args:
        network (nn.Module): In eval mode.
        inputs (Sequence[Tensor]): An example, the image first; of two images
            where the batch is free.
        free (str): Axes of the image that are free, of 'N', 'H' and 'W'; if
            any, the image is the only input. Defaults to none.
        layout (str): Of the image, 'NCHW' or 'NHWC'. Defaults to 'NCHW'.

    Returns:
        ExportedProgram: For these inputs, or for any of free sizes.

    Raises:
        DeploymentError: If PyTorch cannot capture it.
    """
    least = dict(N=1, H=least_side(network), W=least_side(network))
    shapes = ({
        axis: torch.export.Dim.AUTO(min=least[letter])
        for axis, letter in enumerate(layout) if letter in free
    }, ) if free else None
    try:
        # sizes of one in the example, of a coarse pool, say, are no constants
        with _quiet(), torch.no_grad(), _config.patch(
                backed_size_oblivious=True):
            return torch.export.export(
                network,
                tuple(inputs),
                dynamic_shapes=shapes,
                strict=False,
                # what holds for all sizes but cannot be proved, such as the
                # last window of a pool with ceil_mode, is no constraint
                prefer_deferred_runtime_asserts_over_guards=True)
    except Exception as error:  # of whatever an operator raises
        text = str(error).strip().split('\n')
        raise DeploymentError(
            f'torch.export cannot capture {type(network).__name__}: '
            f'{" ".join(text[:2])}') from error


def write_onnx(program: torch.export.ExportedProgram,
               input_names: Sequence[str],
               output_names: Sequence[str],
               path: Path,
               free: str = '') -> None:
    """Write a program.

    The free sizes are called batch, height and width in the file.

    Args:
        program (ExportedProgram): Of :func:`capture`.
        input_names (Sequence[str]): Names of the inputs.
        output_names (Sequence[str]): Names of what comes out.
        path (Path): File to write.
        free (str): See :func:`capture`. Defaults to none.

    Raises:
        DeploymentError: If a package is missing, ONNX lacks an operator, or
            a size that should be free is not.
    """
    need('onnxscript', extra='onnx')
    onnx = need('onnx', extra='onnx')
    try:
        with _quiet():
            torch.onnx.export(
                program, (),
                str(path),
                dynamo=True,
                verbose=False,
                input_names=list(input_names),
                output_names=list(output_names),
                external_data=False)
    except torch.onnx.errors.OnnxExporterError as error:
        cause = str(error.__cause__ or error).strip().split('\n')[0]
        raise DeploymentError(
            f'ONNX cannot express this network: {cause}') from error
    if free:
        _name_sizes(onnx, path, free)


def _name_sizes(onnx, path: Path, free: str) -> None:
    model = onnx.load(str(path))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    layout = 'NHWC' if dims[3].dim_value == 3 else 'NCHW'
    names = {}
    for letter, name in zip('NHW', ('batch', 'height', 'width')):
        dim = dims[layout.index(letter)]
        if letter in free:
            if not dim.dim_param:  # exporters do so without a word
                raise DeploymentError(
                    f'the network makes a constant of the {name} of the '
                    f'example, {dim.dim_value}: it cannot be exported with '
                    'free sizes')
            names[dim.dim_param] = name
    values = (*model.graph.input, *model.graph.output,
              *model.graph.value_info)
    for value in values:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(
                    r'\w+', lambda m: names.get(m[0], m[0]), dim.dim_param)
    onnx.save(model, str(path))


def describe_onnx(path: Path, properties: dict) -> None:
    """Write properties into the file's own metadata, values as JSON."""
    onnx = need('onnx', extra='onnx')
    model = onnx.load(str(path))
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.save(model, str(path))


def fix_onnx_size(path: Path, height: int, width: int) -> None:
    """Turn free height and width into these."""
    onnx = need('onnx', extra='onnx')
    model = onnx.load(str(path))
    sizes = dict(height=height, width=width)
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]
    # sizes that follow from these
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField('shape')
    onnx.save(onnx.shape_inference.infer_shapes(model), str(path))
