"""Building TensorRT engines, of version 11 and later.

Types come from the ONNX file alone there (strong typing); what this package
writes is float32. Written from the documentation; the tests build an engine
where there is a GPU.
"""
from pathlib import Path

from ..utils.deployed_folder import DeploymentError
from ..utils.runtimes import need_tensorrt


def build_engine(onnx_file: Path, path: Path) -> None:
    """Build the engine of an ONNX file of fixed sizes on the GPU at hand.

    Args:
        onnx_file (Path): What to read.
        path (Path): The engine to write. It runs on this kind of GPU and in
            this version of TensorRT alone.

    Raises:
        DeploymentError: If TensorRT or a GPU is missing, it lacks an
            operator, or it cannot build the engine.
    """
    tensorrt, _ = need_tensorrt()
    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    builder = tensorrt.Builder(logger)
    network = builder.create_network()
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(onnx_file)):
        errors = [parser.get_error(i).desc()
                  for i in range(parser.num_errors)]
        raise DeploymentError(
            f'TensorRT cannot express this network: {"; ".join(errors)}')
    config = builder.create_builder_config()
    # fp32 is what the folder says; TF32, the default, has ten bits
    config.clear_flag(tensorrt.BuilderFlag.TF32)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise DeploymentError(
            'TensorRT could not build the engine, see its messages above')
    path.write_bytes(bytes(engine))
