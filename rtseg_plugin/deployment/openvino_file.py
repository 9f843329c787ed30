"""Writing OpenVINO's files."""
from pathlib import Path
from typing import Any, Optional

from ..utils.deployed_folder import DeploymentError
from ..utils.runtimes import PACKAGES, need, openvino_core
from .graph import Normalisation


def read_openvino(onnx_file: Path) -> Any:
    """An ONNX file as an ``openvino.Model``, free of the file.

    Raises:
        DeploymentError: If OpenVINO lacks an operator.
    """
    core = openvino_core()
    try:
        return core.read_model(str(onnx_file)).clone()
    except Exception as error:  # of a class for each way to fail
        text = ' '.join(str(error).split())
        raise DeploymentError(
            f'OpenVINO cannot express this network: {text[-300:]}') from error


def describe_openvino(model: Any, normalisation: Optional[Normalisation],
                      metadata: dict) -> Any:
    """Put preprocessing and metadata into a model.

    Args:
        model (openvino.Model): Changed.
        normalisation (Normalisation, optional): Makes the image frames
            (N, H, W, 3), uint8, BGR. None leaves it as it is.
        metadata (dict): Of the folder.

    Returns:
        openvino.Model: The model.
    """
    openvino = need(*PACKAGES['openvino'])
    if normalisation is not None:
        steps = openvino.preprocess.PrePostProcessor(model)
        image = steps.input('image')
        image.tensor().set_element_type(openvino.Type.u8)
        image.tensor().set_layout(openvino.Layout('NHWC'))
        image.tensor().set_color_format(
            openvino.preprocess.ColorFormat.BGR)
        image.model().set_layout(openvino.Layout('NCHW'))
        work = image.preprocess().convert_element_type(openvino.Type.f32)
        if normalisation.channel_order == 'rgb':
            work = work.convert_color(openvino.preprocess.ColorFormat.RGB)
        work.mean(normalisation.mean).scale(normalisation.std)
        model = steps.build()
    # where OpenVINO's own model zoo keeps them
    if metadata['classes']:
        model.set_rt_info(' '.join(
            name.replace(' ', '_') for name in metadata['classes']),
            ['model_info', 'labels'])
    return model


def save_openvino(model: Any, path: Path, half: bool) -> None:
    """Write ``path`` and the ``.bin`` beside it.

    Args:
        model (openvino.Model): What to write.
        path (Path): Ends with ``.xml``.
        half (bool): Whether weights are stored as float16.
    """
    need(*PACKAGES['openvino']).save_model(
        model, str(path), compress_to_fp16=half)
